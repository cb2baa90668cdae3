#include <set>

#include <maskgrad/core/io/hdf5/hdf5_messages.hpp>

// The entries of groups: "HDF5 File Format Specification Version 3.0", III.A to III.D.

namespace maskgrad::detail {
namespace {

class SymbolTable {
 public:
  explicit SymbolTable(const ByteSource& source) : source_(source) {}

  std::vector<Hdf5Link> read(std::uint64_t tree, std::uint64_t heap) {
    Hdf5Cursor in(source_, heap, 32);
    in.expect("HEAP");
    in.skip(4);
    const auto size = in.u64();
    in.skip(8);
    names_at_ = in.u64();
    names_size_ = size;
    if (size > source_.size()) in.refuse("names of {} bytes in a file of {}", size, source_.size());
    node(tree, 0);
    return std::move(links_);
  }

 private:
  void node(std::uint64_t at, int depth) {
    Hdf5Cursor in(source_, at, 24);
    if (depth > 64 || !seen_.insert(at).second) in.refuse("the tree of a group has a loop");
    in.expect("TREE");
    if (in.u8() != 0) in.refuse("expected a tree of names");
    const auto level = in.u8();
    const auto count = in.u16();
    Hdf5Cursor entries(source_, at + 24, std::uint64_t{16} * count + 8);
    for (int i = 0; i < count; ++i) {
      entries.skip(8);
      const auto child = entries.u64();
      if (level > 0) {
        node(child, depth + 1);
      } else {
        leaf(child);
      }
    }
  }
  void leaf(std::uint64_t at) {
    Hdf5Cursor in(source_, at, 8);
    if (!seen_.insert(at).second) in.refuse("the tree of a group has a loop");
    in.expect("SNOD");
    in.skip(2);
    const auto count = in.u16();
    Hdf5Cursor entries(source_, at + 8, std::uint64_t{40} * count);
    for (int i = 0; i < count; ++i) {
      const auto name = entries.u64(), header = entries.u64();
      const auto kind = entries.u32();
      entries.skip(20);
      constexpr std::uint32_t by_name = 2;
      if (kind != by_name) links_.push_back({name_at(name, entries), header});
    }
  }
  std::string name_at(std::uint64_t at, Hdf5Cursor& from) const {
    constexpr std::uint64_t longest = 4096;
    if (at >= names_size_) from.refuse("a name is at {} of {} bytes", at, names_size_);
    Hdf5Cursor in(source_, names_at_ + at, std::min(longest, names_size_ - at));
    return Hdf5Cursor::text(in.take(in.left()));
  }

  const ByteSource& source_;
  std::uint64_t names_at_ = 0, names_size_ = 0;
  std::vector<Hdf5Link> links_;
  std::set<std::uint64_t> seen_;
};

// A link that stands in the group's own header.
void read_link(Hdf5Cursor in, std::vector<Hdf5Link>& links) {
  in.skip(1);
  const auto flags = in.u8();
  const auto kind = flags & 8 ? in.u8() : std::uint8_t{0};
  if (flags & 4) in.skip(8);
  if (flags & 16) in.skip(1);
  const auto length = in.number(std::size_t{1} << (flags & 3));
  const auto name = in.take(length);
  if (kind == 0) links.push_back({std::string(as_text(name)), in.u64()});
}

}  // namespace

std::vector<Hdf5Link> read_hdf5_links(const ByteSource& source,
                                      const std::vector<Hdf5Message>& messages) {
  std::vector<Hdf5Link> links;
  for (const auto& message : messages) {
    Hdf5Cursor in(source.place(), message.at, message.bytes);
    if (message.type == hdf5_message::symbol_table) {
      const auto tree = in.u64(), heap = in.u64();
      links = SymbolTable(source).read(tree, heap);
    } else if (message.type == hdf5_message::link) {
      read_link(in, links);
    } else if (message.type == hdf5_message::link_info) {
      in.skip(1);
      if (in.u8() & 1) in.skip(8);
      if (in.u64() != hdf5_nowhere) {
        in.refuse("the entries of a group stand in a heap, as libver='latest' writes them");
      }
    }
  }
  return links;
}

}  // namespace maskgrad::detail
