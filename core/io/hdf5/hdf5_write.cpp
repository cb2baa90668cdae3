#include <maskgrad/core/io/hdf5/hdf5_write.hpp>

#include <algorithm>

#include <maskgrad/core/io/bytes.hpp>
#include <maskgrad/core/io/decode.hpp>
#include <maskgrad/core/io/hdf5/hdf5_messages.hpp>

namespace maskgrad::detail {
namespace {

// Half of the most entries of a leaf and of a node of a tree, as libhdf5 has them by default.
constexpr std::size_t leaf_half = 4, node_half = 16;
constexpr std::uint16_t fill_value_message = 0x05;

std::string little(std::uint64_t value, std::size_t width) {
  std::string bytes(width, '\0');
  for (std::size_t i = 0; i < std::min<std::size_t>(width, 8); ++i) {
    bytes[i] = static_cast<char>(value >> (8 * i) & 255);
  }
  return bytes;
}

std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + 7) / 8 * 8, '\0');
  return bytes;
}

std::string space_bytes(const std::vector<std::int64_t>& shape) {
  std::string bytes = little(1, 1) + little(shape.size(), 1) + little(0, 6);
  for (const auto size : shape) bytes += little(static_cast<std::uint64_t>(size), 8);
  return bytes;
}

/// An IEEE float: where its sign, exponent and mantissa lie.
std::string real_type(DType type) {
  const bool wide = type == DType::f64;
  return little(0x11, 1) + little(wide ? 0x003f20 : 0x001f20, 3) + little(wide ? 8 : 4, 4) +
         little(0, 2) + little(wide ? 64 : 32, 2) + little(wide ? 52 : 23, 1) +
         little(wide ? 11 : 8, 1) + little(0, 1) + little(wide ? 52 : 23, 1) +
         little(wide ? 1023 : 127, 4);
}

/// Texts of any length in UTF-8, which stand in a heap.
std::string heap_text_type() {
  return little(0x19, 1) + little(0x000101, 3) + little(16, 4) + little(0x10, 1) + little(0, 3) +
         little(1, 4) + little(0, 2) + little(8, 2);
}

struct WrittenMessage {
  std::uint16_t type;
  std::string bytes;
};

class Hdf5Writer {
 public:
  explicit Hdf5Writer(std::string_view where) : where_(where) {}

  std::vector<std::byte> file(const Hdf5Group& root) {
    bytes_.resize(96);  // the superblock, written at the end
    collect(root);
    write_texts();
    const auto header = group(root);
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    const std::string signature("\x89HDF\r\n\x1a\n", 8);
    const std::string first = signature + little(0, 5) + little(8, 1) + little(8, 1) +
                              little(0, 1) + little(leaf_half, 2) + little(node_half, 2) +
                              little(0, 4) + little(0, 8) + little(hdf5_nowhere, 8) +
                              little(bytes_.size(), 8) + little(hdf5_nowhere, 8) + little(0, 8) +
                              little(header, 8) + little(0, 24);
    std::ranges::copy(as_bytes(first), bytes_.begin());
    return std::move(bytes_);
  }

 private:
  std::uint64_t add(std::span<const std::byte> bytes) {
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    const auto at = bytes_.size();
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return at;
  }
  std::uint64_t add(const std::string& bytes) { return add(as_bytes(bytes)); }

  /// All texts, each once, in heaps of as many as their numbers of two bytes can tell.
  void collect(const Hdf5Group& group) {
    for (const auto& [name, text] : group.texts) texts_.emplace(text, Text{});
    for (const auto& [name, inner] : group.groups) collect(inner);
  }
  void write_texts() {
    constexpr std::size_t most = 60'000, smallest = 4096;
    for (auto from = texts_.begin(); from != texts_.end();) {
      std::string objects;
      auto to = from;
      for (std::uint64_t n = 1; to != texts_.end() && n <= most; ++to, ++n) {
        objects += little(n, 2) + little(1, 2) + little(0, 4) + little(to->first.size(), 8) +
                   padded(to->first);
        to->second.number = n;
      }
      // What is left is object 0, the free space.
      const auto size = std::max(smallest, 16 + objects.size() + 16);
      std::string heap = "GCOL" + little(1, 4) + little(size, 8) + objects;
      heap += little(0, 8) + little(size - heap.size(), 8);
      heap.resize(size, '\0');
      const auto at = add(heap);
      for (; from != to; ++from) from->second.heap = at;
    }
  }

  std::uint64_t header(const std::vector<WrittenMessage>& messages) {
    std::string all;
    for (const auto& message : messages) {
      const std::string bytes = padded(message.bytes);
      all += little(message.type, 2) + little(bytes.size(), 2) + little(0, 4) + bytes;
    }
    return add(little(1, 1) + little(0, 1) + little(messages.size(), 2) + little(1, 4) +
               little(all.size(), 4) + little(0, 4) + all);
  }

  WrittenMessage text(const std::string& name, const std::string& value) const {
    const auto type = heap_text_type(), space = space_bytes({});
    const auto& text = texts_.at(value);
    return {hdf5_message::attribute,
            little(1, 1) + little(0, 1) + little(name.size() + 1, 2) + little(type.size(), 2) +
                little(space.size(), 2) + padded(name + '\0') + padded(type) + padded(space) +
                little(value.size(), 4) + little(text.heap, 8) + little(text.number, 4)};
  }

  void check_name(const std::string& name) const {
    if (!name.empty() && name.find_first_of(std::string_view("/\0", 2)) == name.npos) return;
    fail<FileError>(where_, "{} is no name for a group of an HDF5 file; give one without / and NUL",
                    in_quotes(name));
  }

  /// A node of a tree: what lies below it, and the greatest name in that.
  struct Node {
    std::uint64_t at = 0, last = 0;
  };

  std::uint64_t group(const Hdf5Group& group) {
    std::map<std::string, std::uint64_t> links;  // by name, as trees want them
    for (const auto& [name, inner] : group.groups) links[name] = this->group(inner);
    for (const auto& [name, array] : group.data) links[name] = data(name, array);
    std::string names(8, '\0');  // the empty one at 0
    std::vector<Node> nodes;
    std::string entries;
    std::size_t count = 0, left = links.size();
    for (const auto& [name, at] : links) {
      check_name(name);
      const std::uint64_t place = names.size();
      names += padded(name + '\0');
      entries += little(place, 8) + little(at, 8) + little(0, 24);
      ++count;
      if (--left > 0 && count < 2 * leaf_half) continue;
      nodes.push_back({leaf(entries, count), place});
      entries.clear();
      count = 0;
    }
    if (nodes.empty()) nodes.push_back({leaf("", 0), 0});
    const auto heap = names_heap(names);
    std::vector<WrittenMessage> messages{
        {hdf5_message::symbol_table, little(tree(std::move(nodes)), 8) + little(heap, 8)}};
    for (const auto& [name, value] : group.texts) messages.push_back(text(name, value));
    return header(messages);
  }
  std::uint64_t names_heap(const std::string& names) {
    const auto at = add(names);
    return add("HEAP" + little(0, 4) + little(names.size(), 8) + little(1, 8) + little(at, 8));
  }
  std::uint64_t leaf(std::string entries, std::size_t count) {
    entries.resize(2 * leaf_half * 40, '\0');
    return add("SNOD" + little(1, 1) + little(0, 1) + little(count, 2) + entries);
  }
  /// The tree above these nodes, one level after the other; a level's nodes know their neighbors.
  std::uint64_t tree(std::vector<Node> below) {
    constexpr std::size_t most = 2 * node_half, size = 24 + (most + 1) * 8 + most * 8;
    for (std::uint64_t level = 0;; ++level) {
      std::vector<Node> made;
      const auto first = (bytes_.size() + 7) / 8 * 8;
      const auto nodes = (below.size() + most - 1) / most;
      std::uint64_t before = 0;  // the greatest name to the left
      for (std::size_t n = 0; n < nodes; ++n) {
        const auto from = n * most, to = std::min(below.size(), from + most);
        std::string node = "TREE" + little(0, 1) + little(level, 1) + little(to - from, 2) +
                           little(n > 0 ? first + (n - 1) * size : hdf5_nowhere, 8) +
                           little(n + 1 < nodes ? first + (n + 1) * size : hdf5_nowhere, 8) +
                           little(before, 8);
        for (auto i = from; i < to; ++i) node += little(below[i].at, 8) + little(below[i].last, 8);
        node.resize(size, '\0');
        before = below[to - 1].last;
        made.push_back({add(node), before});
      }
      if (nodes == 1) return made[0].at;
      below = std::move(made);
    }
  }

  std::uint64_t data(const std::string& name, const Array& array) {
    check_array(where_, name, array);
    if (!is_real(array.dtype)) {
      fail<FileError>(where_, "the array {} is {}; expected f32 or f64", in_quotes(name),
                      maskgrad::name(array.dtype));
    }
    const auto at = array.bytes.empty() ? hdf5_nowhere : add(array.bytes);
    return header({{hdf5_message::dataspace, space_bytes(array.shape)},
                   {hdf5_message::datatype, real_type(array.dtype)},
                   // Room when it is written; the default value, 0, where nothing was.
                   {fill_value_message,
                    little(2, 1) + little(2, 1) + little(2, 1) + little(1, 1) + little(0, 4)},
                   {hdf5_message::layout,
                    little(3, 1) + little(1, 1) + little(at, 8) + little(array.bytes.size(), 8)}});
  }

  struct Text {
    std::uint64_t heap = 0, number = 0;
  };
  std::string_view where_;
  std::vector<std::byte> bytes_;
  std::map<std::string, Text> texts_;
};

}  // namespace

Hdf5Group& Hdf5Group::at(std::string_view path) {
  Hdf5Group* group = this;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    group = &group->groups[std::string(path.substr(begin, end - begin))];
    begin = end + 1;
  }
  return *group;
}

std::vector<std::byte> hdf5_bytes(std::string_view where, const Hdf5Group& root) {
  return Hdf5Writer(where).file(root);
}

}  // namespace maskgrad::detail
