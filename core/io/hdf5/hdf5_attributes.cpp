#include <map>

#include <maskgrad/core/io/hdf5/hdf5_messages.hpp>

// Attributes and the heap of long texts: "HDF5 File Format Specification Version 3.0", IV.A.2.m
// and III.E.

namespace maskgrad::detail {
namespace {

constexpr std::int64_t most_texts = 1'000'000;

/// Texts that stand elsewhere in the file, in collections of which each is read once.
class FarTexts {
 public:
  explicit FarTexts(const ByteSource& source) : source_(source) {}

  std::string read(Hdf5Cursor& in) {
    const auto length = in.u32();
    const auto at = in.u64();
    const auto index = in.u32();
    if (length == 0) return {};
    const auto& all = collection(at);
    const auto found = all.find(static_cast<std::uint16_t>(index));
    if (index > 0xffff || found == all.end() || found->second.size() < length) {
      in.refuse("a text of {} bytes is not where it should be", length);
    }
    total_ += length;
    if (total_ > source_.size()) in.refuse("the texts take more bytes than the file has");
    return Hdf5Cursor::text(std::span(found->second).first(length));
  }

 private:
  using Collection = std::map<std::uint16_t, std::vector<std::byte>>;
  const Collection& collection(std::uint64_t at) {
    const auto known = read_.find(at);
    if (known != read_.end()) return known->second;
    Hdf5Cursor head(source_, at, 16);
    head.expect("GCOL");
    head.skip(4);
    const auto size = head.u64();
    if (size < 16) head.refuse("a heap of {} bytes", size);
    if (heaps_ += size; heaps_ > source_.size()) head.refuse("heaps overlap");
    Hdf5Cursor in(source_, at + 16, size - 16);
    Collection all;
    while (in.left() >= 16) {
      const auto index = in.u16();
      in.skip(6);
      const auto bytes = in.u64();
      if (index == 0) break;  // what is free
      const auto text = in.take(bytes);
      all[index].assign(text.begin(), text.end());
      in.skip(std::min<std::uint64_t>(in.left(), (8 - bytes % 8) % 8));
    }
    return read_[at] = std::move(all);
  }

  const ByteSource& source_;
  std::map<std::uint64_t, Collection> read_;
  std::uint64_t total_ = 0, heaps_ = 0;
};

}  // namespace

Hdf5Attribute read_hdf5_attribute(const ByteSource& source, const Hdf5Message& message) {
  Hdf5Cursor in(source.place(), message.at, message.bytes);
  const auto version = in.u8(), flags = in.u8();
  if (version < 1 || version > 3) in.refuse("an attribute of version {}", version);
  const auto name_size = in.u16(), type_size = in.u16(), space_size = in.u16();
  if (version == 3) in.skip(1);
  const auto field = [&](std::uint16_t size) {
    const auto at = in.position();
    Hdf5Cursor part(source.place(), at, in.take(size));
    if (version == 1) in.skip(std::min<std::uint64_t>(in.left(), (8 - size % 8) % 8));
    return part;
  };
  Hdf5Attribute attribute{Hdf5Cursor::text(field(name_size).take(name_size)), {}};
  auto type_bytes = field(type_size), space_bytes = field(space_size);
  if (version > 1 && (flags & 3) != 0) return attribute;  // a type that is told elsewhere
  const auto type = read_hdf5_type(type_bytes);
  const bool far = type.kind == Hdf5Type::Kind::far_text;
  if (!far && type.kind != Hdf5Type::Kind::text) return attribute;
  std::int64_t count = 1;
  for (const auto size : read_hdf5_space(space_bytes)) {
    if (size > most_texts || (count *= size) > most_texts) in.refuse("too many texts");
  }
  FarTexts texts(source);
  for (std::int64_t i = 0; i < count; ++i) {
    attribute.texts.push_back(far ? texts.read(in) : Hdf5Cursor::text(in.take(type.size)));
    if (!far && type.size == 0) break;
  }
  return attribute;
}

}  // namespace maskgrad::detail
