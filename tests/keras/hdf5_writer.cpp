#include "keras/hdf5_writer.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>

// Source: The HDF Group, "HDF5 File Format Specification Version 3.0".
namespace hdf5_writer {
namespace {

constexpr std::uint64_t nowhere = ~std::uint64_t{0};
constexpr int leaf_entries = 64, tree_entries = 32;

std::string number(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += i < 8 ? static_cast<char>(value >> (8 * i) & 255) : '\0';
  return bytes;
}
std::string padded(std::string bytes, std::size_t to = 8) {
  bytes.resize((bytes.size() + to - 1) / to * to, '\0');
  return bytes;
}

std::string space_of(const std::vector<std::int64_t>& shape) {
  std::string bytes = number(1, 1) + number(shape.size(), 1) + number(0, 6);
  for (const auto size : shape) bytes += number(static_cast<std::uint64_t>(size), 8);
  return bytes;
}
std::string float_type() {
  return number(0x11, 1) + number(0x001f20, 3) + number(4, 4) + number(0, 2) + number(32, 2) +
         number(23, 1) + number(8, 1) + number(0, 1) + number(23, 1) + number(127, 4);
}
std::string text_type(std::size_t size) {
  return number(0x13, 1) + number(0, 3) + number(size, 4);
}
std::string far_text_type() {
  return number(0x19, 1) + number(0x000101, 3) + number(16, 4) + number(0x10, 1) + number(0, 3) +
         number(1, 4) + number(0, 2) + number(8, 2);
}

struct Message {
  int type;
  std::string bytes;
};

class Writer {
 public:
  std::string file(const Group& root) {
    bytes_.assign(96, '\0');
    const auto header = group(root);
    const std::string signature("\x89HDF\r\n\x1a\n", 8);
    std::string first = signature + number(0, 5) + number(8, 1) + number(8, 1) + number(0, 1) +
                        number(leaf_entries / 2, 2) + number(tree_entries / 2, 2) + number(0, 4) +
                        number(0, 8) + number(nowhere, 8) + number(bytes_.size(), 8) +
                        number(nowhere, 8) + number(0, 8) + number(header, 8) + number(0, 24);
    return bytes_.replace(0, first.size(), first);
  }

 private:
  std::uint64_t add(const std::string& bytes) {
    bytes_ = padded(std::move(bytes_));
    const auto at = bytes_.size();
    bytes_ += bytes;
    return at;
  }
  std::uint64_t header(const std::vector<Message>& messages) {
    std::string all;
    for (const auto& message : messages) {
      const std::string bytes = padded(message.bytes);
      all += number(static_cast<std::uint64_t>(message.type), 2) + number(bytes.size(), 2) +
             number(0, 4) + bytes;
    }
    return add(number(1, 1) + number(0, 1) + number(messages.size(), 2) + number(1, 4) +
               number(all.size(), 4) + number(0, 4) + all);
  }

  Message attribute(const std::string& name, const std::string& type, const std::string& space,
                    const std::string& value) {
    return {0x0c, number(1, 1) + number(0, 1) + number(name.size() + 1, 2) +
                      number(type.size(), 2) + number(space.size(), 2) + padded(name + '\0') +
                      padded(type) + padded(space) + value};
  }
  Message list(const std::string& name, const std::vector<std::string>& values) {
    std::size_t longest = 1;
    for (const auto& value : values) longest = std::max(longest, value.size());
    std::string bytes;
    for (auto value : values) {
      value.resize(longest, '\0');
      bytes += value;
    }
    return attribute(name, text_type(longest), space_of({static_cast<std::int64_t>(values.size())}),
                     bytes);
  }
  Message text(const std::string& name, const std::string& value) {
    const std::string object =
        number(1, 2) + number(1, 2) + number(0, 4) + number(value.size(), 8) + padded(value);
    const std::string end = number(0, 16);
    const auto size = std::max<std::size_t>(4096, 16 + object.size() + end.size());
    std::string heap = "GCOL" + number(1, 4) + number(size, 8) + object;
    heap += number(0, 8) + number(size - heap.size(), 8);
    heap.resize(size, '\0');
    const auto at = add(heap);
    return attribute(name, far_text_type(), space_of({}),
                     number(value.size(), 4) + number(at, 8) + number(1, 4));
  }

  std::uint64_t group(const Group& group) {
    std::map<std::string, std::uint64_t> links;
    for (const auto& [name, inner] : group.groups) links[name] = this->group(inner);
    for (const auto& [name, inner] : group.data) links[name] = data(inner);
    std::string names(8, '\0'), entries;
    std::uint64_t last = 0;
    for (const auto& [name, at] : links) {
      entries += number(names.size(), 8) + number(at, 8) + number(0, 24);
      last = names.size();
      names += padded(name + '\0');
    }
    entries.resize(leaf_entries * 40, '\0');
    const auto space = add(names);
    const auto heap =
        add("HEAP" + number(0, 4) + number(names.size(), 8) + number(1, 8) + number(space, 8));
    const auto leaf = add("SNOD" + number(1, 2) + number(links.size(), 2) + entries);
    std::string tree = "TREE" + number(0, 1) + number(0, 1) + number(1, 2) + number(nowhere, 8) +
                       number(nowhere, 8) + number(0, 8) + number(leaf, 8) + number(last, 8);
    tree.resize(24 + (tree_entries + 1) * 8 + tree_entries * 8, '\0');
    const auto root = add(tree);
    std::vector<Message> messages{{0x11, number(root, 8) + number(heap, 8)}};
    for (const auto& [name, values] : group.lists) messages.push_back(list(name, values));
    for (const auto& [name, value] : group.texts) messages.push_back(text(name, value));
    return header(messages);
  }

  std::uint64_t data(const Data& data) {
    std::string values(data.values.size() * 4, '\0');
    if (!values.empty()) std::memcpy(values.data(), data.values.data(), values.size());
    std::vector<Message> messages{{0x01, space_of(data.shape)}, {0x03, float_type()}};
    if (data.chunked) {
      chunks(data, messages);
    } else {
      const auto at = values.empty() ? nowhere : add(values);
      messages.push_back(
          {0x08, number(3, 1) + number(1, 1) + number(at, 8) + number(values.size(), 8)});
    }
    return header(messages);
  }
  void chunks(const Data& data, std::vector<Message>& messages) {
    const auto rank = data.shape.size();
    const auto rows = static_cast<std::uint64_t>(data.shape[0]), half = (rows + 1) / 2;
    const std::size_t row = data.values.size() / rows;
    std::string keys;
    int count = 0;
    for (std::uint64_t from = 0; from < rows; from += half, ++count) {
      std::vector<float> part(half * row, -1);  // what lies behind the end is not read
      const auto to = std::min(rows, from + half);
      std::copy(data.values.begin() + static_cast<std::ptrdiff_t>(from * row),
                data.values.begin() + static_cast<std::ptrdiff_t>(to * row), part.begin());
      std::string plain(part.size() * 4, '\0'), mixed(part.size() * 4, '\0');
      std::memcpy(plain.data(), part.data(), plain.size());
      for (std::size_t i = 0; i < part.size(); ++i) {
        for (std::size_t j = 0; j < 4; ++j) mixed[j * part.size() + i] = plain[i * 4 + j];
      }
      uLongf size = compressBound(mixed.size());
      std::string packed(size, '\0');
      compress(reinterpret_cast<Bytef*>(packed.data()), &size,
               reinterpret_cast<const Bytef*>(mixed.data()), mixed.size());
      packed.resize(size);
      keys += number(packed.size(), 4) + number(0, 4) + number(from, 8) +
              number(0, 8 * static_cast<int>(rank));
      keys += number(add(packed), 8);
    }
    keys += number(0, 8) + number(static_cast<std::uint64_t>(count) * half, 8) +
            number(0, 8 * static_cast<int>(rank));
    std::string tree = "TREE" + number(1, 1) + number(0, 1) +
                       number(static_cast<std::uint64_t>(count), 2) + number(nowhere, 8) +
                       number(nowhere, 8) + keys;
    tree.resize(24 + 64 * (8 + 8 * (rank + 1) + 8) + 64, '\0');
    const auto at = add(tree);
    std::string layout =
        number(3, 1) + number(2, 1) + number(rank + 1, 1) + number(at, 8) + number(half, 4);
    for (std::size_t axis = 1; axis < rank; ++axis)
      layout += number(static_cast<std::uint64_t>(data.shape[axis]), 4);
    messages.push_back({0x08, layout + number(4, 4)});
    const std::string shuffle =
        number(2, 2) + number(0, 2) + number(1, 2) + number(1, 2) + number(4, 4) + number(0, 4);
    const std::string gzip =
        number(1, 2) + number(0, 2) + number(1, 2) + number(1, 2) + number(6, 4) + number(0, 4);
    messages.push_back({0x0b, number(1, 1) + number(2, 1) + number(0, 6) + shuffle + gzip});
  }

  std::string bytes_;
};

}  // namespace

Group& Group::at(const std::string& path) {
  Group* group = this;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    group = &group->groups[path.substr(begin, end - begin)];
    begin = end + 1;
  }
  return *group;
}

void Group::put(const std::string& path, Data value) {
  const auto at_slash = path.rfind('/');
  Group& group = at_slash == std::string::npos ? *this : at(path.substr(0, at_slash));
  group.data[path.substr(at_slash == std::string::npos ? 0 : at_slash + 1)] = std::move(value);
}

std::string file_of(const Group& root) {
  return Writer().file(root);
}

}  // namespace hdf5_writer
