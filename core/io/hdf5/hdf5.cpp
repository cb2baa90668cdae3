#include <maskgrad/core/io/hdf5/hdf5.hpp>

#include <algorithm>
#include <set>

namespace maskgrad::detail {
namespace {

constexpr std::string_view hdf5_signature{"\x89HDF\r\n\x1a\n", 8};
constexpr std::size_t most_objects = 1'000'000;
constexpr int most_depth = 100;

// Where the root's header is, by the file's first block.
std::uint64_t hdf5_root(const ByteSource& source) {
  Hdf5Cursor in(source, 0, std::min<std::uint64_t>(source.size(), 96));
  in.expect(hdf5_signature);
  const auto version = in.u8();
  const auto sizes = [&] {
    if (in.u8() != 8 || in.u8() != 8) in.refuse("addresses and sizes are not 8 bytes wide");
  };
  std::uint64_t base = 0, root = 0;
  if (version <= 1) {
    in.skip(4);
    sizes();
    in.skip(version == 0 ? 9 : 13);
    base = in.u64();
    in.skip(24 + 8);
    root = in.u64();
  } else if (version <= 3) {
    sizes();
    in.skip(1);
    base = in.u64();
    in.skip(16);
    root = in.u64();
  } else {
    in.refuse("a file of version {}; expected 0 to 3", version);
  }
  if (base != 0) in.refuse("the file begins at byte {}; expected 0", base);
  return root;
}

class Hdf5Walk {
 public:
  Hdf5Walk(const ByteSource& source, std::vector<Hdf5Object>& objects)
      : source_(source), objects_(objects) {}

  void visit(const std::string& path, std::uint64_t header, int depth) {
    Hdf5Cursor here(source_, std::min(header, source_.size()), 0);
    if (depth > most_depth) here.refuse("groups are nested more than {} deep", most_depth);
    if (objects_.size() >= most_objects) here.refuse("it holds more than {} objects", most_objects);
    if (!seen_.insert(header).second) here.refuse("'{}' is there under another name too", path);
    const auto messages = read_hdf5_header(source_, header);
    objects_.push_back(object(path, messages));
    if (objects_.back().dataset) return;
    auto links = read_hdf5_links(source_, messages);
    std::ranges::sort(links, {}, &Hdf5Link::name);
    for (const auto& link : links) {
      visit(path.empty() ? link.name : path + "/" + link.name, link.header, depth + 1);
    }
  }

 private:
  Hdf5Object object(const std::string& path, const std::vector<Hdf5Message>& messages) const {
    Hdf5Object made{.path = path};
    for (const auto& message : messages) {
      Hdf5Cursor in(source_.place(), message.at, message.bytes);
      if (message.type == hdf5_message::attribute && !message.shared) {
        made.attributes.push_back(read_hdf5_attribute(source_, message));
      }
      if (message.type == hdf5_message::dataspace) made.shape = read_hdf5_space(in);
      if (message.type == hdf5_message::datatype && !message.shared) made.type = read_hdf5_type(in);
      if (message.type == hdf5_message::layout) made.dataset = true;
    }
    if (made.dataset) made.layout = read_hdf5_layout(source_.place(), messages);
    return made;
  }

  const ByteSource& source_;
  std::vector<Hdf5Object>& objects_;
  std::set<std::uint64_t> seen_;
};

}  // namespace

std::vector<std::string> Hdf5Object::texts(std::string_view attribute) const {
  const auto found = std::ranges::find(attributes, attribute, &Hdf5Attribute::name);
  return found == attributes.end() ? std::vector<std::string>() : found->texts;
}

std::string Hdf5Object::text(std::string_view attribute) const {
  const auto all = texts(attribute);
  return all.empty() ? std::string() : all.front();
}

Hdf5File::Hdf5File(const ByteSource& source) : source_(source) {
  Hdf5Walk(source, objects_).visit("", hdf5_root(source), 0);
}

const Hdf5Object* Hdf5File::find(std::string_view path) const {
  const auto found = std::ranges::find(objects_, path, &Hdf5Object::path);
  return found == objects_.end() ? nullptr : &*found;
}

std::uint64_t Hdf5File::most_numbers() const {
  const bool packed =
      std::ranges::any_of(objects_, [](const Hdf5Object& o) { return !o.layout.filters.empty(); });
  return packed ? source_.size() * 1032 : source_.size();
}

Array Hdf5File::read(const Hdf5Object& object) const {
  const auto refuse = [&](std::string_view what) {
    source_.place().refuse(0, "'{}' {}; {}", object.path, what, Hdf5Cursor::damaged);
  };
  if (!object.dataset) refuse("is a group, not a data set");
  if (object.type.kind != Hdf5Type::Kind::number) refuse("holds no numbers of a known type");
  const Layout layout{object.type.number, object.type.big_endian, false, object.shape};
  const auto bytes = byte_count(layout);
  if (!bytes) refuse("is larger than anything");
  // Chunks inflate by no more than deflate can.
  const std::uint64_t ratio = object.layout.filters.empty() ? 1 : 1032;
  if (*bytes / ratio > source_.size()) refuse("says that it is larger than the file can hold");
  const auto raw = read_hdf5_bytes(source_, object.layout, object.shape, object.type.size, *bytes);
  const ByteSource memory(raw, source_.place().file + ", " + object.path, source_.place().where);
  SourceStream in(memory, 0, raw.size());
  return decode(layout, in);
}

bool is_hdf5(std::span<const std::byte> first) {
  return as_text(first).starts_with(hdf5_signature);
}

}  // namespace maskgrad::detail
