#include <set>

#include <maskgrad/core/io/hdf5/hdf5_messages.hpp>

// Object headers: "HDF5 File Format Specification Version 3.0", IV.A.

namespace maskgrad::detail {
namespace {

constexpr std::uint64_t most_header = 1 << 20;
constexpr std::size_t most_messages = 100'000;

class Header {
 public:
  explicit Header(const ByteSource& source) : source_(source) {}

  std::vector<Hdf5Message> read(std::uint64_t at) {
    Hdf5Cursor start(source_, at, 4);
    if (as_text(start.take(4)) == "OHDR") {
      read_new(at);
    } else {
      read_old(at);
    }
    return std::move(messages_);
  }

 private:
  void read_old(std::uint64_t at) {
    Hdf5Cursor in(source_, at, 16);
    if (in.u8() != 1) in.refuse("expected the header of an object here");
    in.skip(7);  // their number and that of references
    block(at + 16, in.u32(), &Header::old_messages);
  }
  void old_messages(Hdf5Cursor& in) {
    while (in.left() >= 8) {
      Hdf5Message message;
      message.type = in.u16();
      const auto size = in.u16();
      message.shared = (in.u8() & 2) != 0;
      in.skip(3);
      add(in, std::move(message), size, &Header::old_messages);
    }
  }

  void read_new(std::uint64_t at) {
    Hdf5Cursor in(source_, at, 6);
    in.skip(4);
    if (in.u8() != 2) in.refuse("expected version 2 of an object's header");
    flags_ = in.u8();
    const std::uint64_t before = 6 + (flags_ & 0x20 ? 16 : 0) + (flags_ & 0x10 ? 4 : 0);
    const std::uint64_t width = std::uint64_t{1} << (flags_ & 3);
    Hdf5Cursor size(source_, at + before, width);
    block(at + before + width, size.number(static_cast<std::size_t>(width)), &Header::new_messages);
  }
  void new_messages(Hdf5Cursor& in) {
    const std::uint64_t head = flags_ & 4 ? 6 : 4;
    while (in.left() >= head) {
      Hdf5Message message;
      message.type = in.u8();
      const auto size = in.u16();
      message.shared = (in.u8() & 2) != 0;
      if (flags_ & 4) in.skip(2);
      add(in, std::move(message), size, &Header::new_messages);
    }
  }

  using Read = void (Header::*)(Hdf5Cursor&);
  void block(std::uint64_t at, std::uint64_t size, Read read) {
    Hdf5Cursor in(source_, at, 0);
    if (!seen_.insert(at).second) in.refuse("the header goes on where it was already");
    if ((total_ += size) > most_header) in.refuse("the header takes more than a mebibyte");
    in = Hdf5Cursor(source_, at, size);
    (this->*read)(in);
  }
  void add(Hdf5Cursor& in, Hdf5Message message, std::uint64_t size, Read read) {
    message.at = in.position();
    const auto bytes = in.take(size);
    if (message.type == hdf5_message::continuation) {
      Hdf5Cursor next(in.place(), message.at, bytes);
      auto at = next.u64();
      auto length = next.u64();
      if (read == &Header::new_messages) {  // a signature before, a checksum behind
        Hdf5Cursor signature(source_, at, 4);
        signature.expect("OCHK");
        if (length < 8) next.refuse("{} bytes are too few for a part of a header", length);
        at += 4;
        length -= 8;
      }
      return block(at, length, read);
    }
    if (messages_.size() >= most_messages) in.refuse("the header has too many messages");
    message.bytes.assign(bytes.begin(), bytes.end());
    messages_.push_back(std::move(message));
  }

  const ByteSource& source_;
  std::vector<Hdf5Message> messages_;
  std::set<std::uint64_t> seen_;
  std::uint64_t total_ = 0;
  std::uint8_t flags_ = 0;
};

}  // namespace

std::vector<Hdf5Message> read_hdf5_header(const ByteSource& source, std::uint64_t header) {
  return Header(source).read(header);
}

}  // namespace maskgrad::detail
