#include <maskgrad/core/io/torch/torch_file.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include <maskgrad/core/io/file_kinds.hpp>
#include <maskgrad/core/io/name_index.hpp>
#include <maskgrad/core/io/room.hpp>
#include <maskgrad/core/io/torch/pickle.hpp>
#include <maskgrad/core/io/zip_entry.hpp>

namespace maskgrad::detail {
namespace {

using Bytes = std::vector<std::byte>;

/// The bytes of storages by their keys, and how they stand there.
struct Storages {
  std::map<std::string, Bytes, std::less<>> bytes;
  bool big_endian = false;
};

/// The elements of a tensor in C order.
template <class Kind>
void gather(const PickleTensor& tensor, const Bytes& from, FileType type, bool big_endian,
            const Place& place, Array& to) {
  using Raw = typename Kind::Raw;
  using Out = typename Kind::Out;
  const auto axes = tensor.shape.size();
  std::vector<std::int64_t> index(axes, 0);
  auto at = tensor.offset;
  for (std::size_t i = 0; i < to.bytes.size() / sizeof(Out); ++i) {
    const auto raw = raw_at<Raw>(from.data() + at * sizeof(Raw), big_endian);
    check_value<Kind>(raw, type, at * sizeof(Raw), place);
    const Out value = Kind::convert(raw);
    std::memcpy(to.bytes.data() + i * sizeof(Out), &value, sizeof(Out));
    for (auto axis = axes; axis-- > 0;) {
      at += tensor.strides[axis];
      if (++index[axis] < tensor.shape[axis]) break;
      at -= tensor.strides[axis] * static_cast<std::uint64_t>(tensor.shape[axis]);
      index[axis] = 0;
    }
  }
}

/// Reads the named tensors; together they may have 16 times the bytes of the file and no more,
/// which a file can only reach with tensors that share their storages.
class Gatherer {
 public:
  Gatherer(const Pickle& pickle, const Storages& storages, const Place& place, std::uint64_t file)
      : pickle_(pickle), storages_(storages), place_(place), left_(16 * file) {}

  Array operator()(const PickleName& name) {
    const auto tensor = tensor_in(pickle_, name, place_);
    const auto& storage = pickle_.storages[tensor.storage];
    const auto bytes = storages_.bytes.find(storage.key);
    if (bytes == storages_.bytes.end() ||
        bytes->second.size() / size_of(storage.type) < storage.count) {
      place_.refuse(
          0, "the storage {} of the tensor {} is to have {} elements of {} bytes, and {}",
          in_quotes(storage.key), in_quotes(name.name), storage.count, size_of(storage.type),
          bytes == storages_.bytes.end() ? std::string("is not there")
                                         : fmt::format("has {} bytes", bytes->second.size()));
    }
    Array made{target(storage.type), tensor.shape, {}};
    const auto size = static_cast<std::uint64_t>(made.size()) * size_in_memory(made.dtype);
    if (size > left_) {
      place_.refuse(0,
                    "the tensors are more than 16 times as large as the file; save them again "
                    "with a clone() of each");
    }
    left_ -= size;
    with_room(place_, size, [&] { made.bytes.resize(size); });
    dispatch_file(storage.type, [&]<class Kind>() {
      gather<Kind>(tensor, bytes->second, storage.type, storages_.big_endian, place_, made);
    });
    return made;
  }

 private:
  static std::uint64_t size_in_memory(DType type) {
    return type == DType::boolean ? 1 : type == DType::f32 ? 4 : 8;
  }

  const Pickle& pickle_;
  const Storages& storages_;
  const Place& place_;
  std::uint64_t left_;
};

NamedArrays gathered(const Pickle& pickle, const std::vector<PickleName>& names,
                     const Storages& storages, const Place& place, std::uint64_t file) {
  std::vector<std::string> all;
  for (const auto& n : names) all.push_back(n.name);
  if (const auto twice = NameIndex(all).repeated()) {
    place.refuse(pickle.end, "the name {} comes a second time; expected every name once",
                 in_quotes(all[*twice]));
  }
  Gatherer gather(pickle, storages, place, file);
  NamedArrays arrays;
  for (const auto& n : names) arrays.push_back({n.name, gather(n)});
  return arrays;
}

Bytes inflated(const ByteSource& source, const ZipEntry& entry) {
  ZipEntryStream in(source, entry);
  Bytes made;
  with_room(in.place(), entry.size, [&] { made.resize(entry.size); });
  in.read(made);
  in.finish();
  return made;
}

using Entries = std::map<std::string, const ZipEntry*>;

/// The storages that the named tensors lie in, of those that the archive has.
Storages read_storages(const ByteSource& source, const Entries& entries, const std::string& front,
                       const Pickle& pickle, const std::vector<PickleName>& names) {
  Storages storages;
  if (const auto order = entries.find(front + "byteorder"); order != entries.end()) {
    storages.big_endian = as_text(inflated(source, *order->second)) == "big";
  }
  for (const auto& name : names) {
    const auto& storage = pickle.storages[tensor_in(pickle, name, source.place()).storage];
    const auto at = entries.find(fmt::format("{}data/{}", front, storage.key));
    if (at == entries.end() || storages.bytes.count(storage.key) > 0) continue;
    storages.bytes.emplace(storage.key, inflated(source, *at->second));
  }
  return storages;
}

/// The archive of PyTorch 1.6 and later: everything stands in one folder of the zip file.
NamedArrays read_archive(const ByteSource& source) {
  const auto all = read_zip_directory(source);
  const auto& place = source.place();
  const auto ends = [&](std::string_view end) {
    return std::find_if(all.begin(), all.end(),
                        [&](const auto& e) { return e.name.ends_with(end); });
  };
  if (ends("/constants.pkl") != all.end()) {
    place.refuse(0,
                 "the file is a program of torch.jit, and nothing in a file is run here; save "
                 "its weights, with torch.save(torch.jit.load(path).state_dict(), other)");
  }
  const auto main = ends("/data.pkl");
  if (main == all.end()) {
    place.refuse(0, "the zip file has no entry data.pkl; expected what torch.save writes");
  }
  const auto bytes = inflated(source, *main);
  const Place inside{place.where, place.file + ", entry " + in_quotes(main->name)};
  const auto pickle = read_pickle(bytes, inside);
  const auto names = state_dict_of(pickle, inside);
  Entries entries;
  std::uint64_t unpacked = source.size();
  for (const auto& e : all) {
    entries.emplace(e.name, &e);
    unpacked += e.method == ZipMethod::deflated ? e.size : 0;
  }
  const std::string front = main->name.substr(0, main->name.size() - 8);
  const auto storages = read_storages(source, entries, front, pickle, names);
  return gathered(pickle, names, storages, inside, unpacked);
}

/// The form before: five pickles (a magic number, the protocol, facts of the system, the whole, the
/// storages' keys), then for each storage the number of its elements and these.
NamedArrays read_old(const ByteSource& source) {
  Bytes all;
  with_room(source.place(), source.size(), [&] { all.resize(source.size()); });
  source.read_at(0, all);
  std::span<const std::byte> rest(all);
  const auto next = [&] {
    auto made = read_pickle(rest, source.place());
    rest = rest.subspan(made.end);
    return made;
  };
  for (int i = 0; i < 3; ++i) next();
  const auto pickle = next(), keys = next();
  std::map<std::string, FileType, std::less<>> types;
  for (const auto& s : pickle.storages) types.emplace(s.key, s.type);
  Storages storages;
  for (const auto at : keys.values[keys.root].items) {
    const auto& named = keys.values[at];
    const std::string key(named.kind == PickleKind::text ? keys.text(named) : std::string_view());
    const auto type = types.find(key);
    const auto offset = source.size() - rest.size();
    if (type == types.end() || rest.size() < 8 ||
        little_endian(rest.first(8)) > (rest.size() - 8) / size_of(type->second)) {
      source.place().refuse(offset,
                            "the storage {} is not here as the pickle says; the file was "
                            "cut short, save it again",
                            in_quotes(key));
    }
    const auto size =
        static_cast<std::size_t>(little_endian(rest.first(8))) * size_of(type->second);
    storages.bytes.emplace(
        key, Bytes(rest.begin() + 8, rest.begin() + 8 + static_cast<std::ptrdiff_t>(size)));
    rest = rest.subspan(8 + size);
  }
  return gathered(pickle, state_dict_of(pickle, source.place()), storages, source.place(),
                  source.size());
}

bool begins(const ByteSource& source, std::string_view with) {
  std::array<std::byte, 16> first{};
  const auto length = std::min<std::uint64_t>(source.size(), first.size());
  source.read_at(0, std::span(first).first(static_cast<std::size_t>(length)));
  return as_text(first).starts_with(with);
}

NamedArrays read_whole(const ByteSource& source) {
  return begins(source, "PK") ? read_archive(source) : read_old(source);
}

}  // namespace

NamedArrays read_torch(const std::filesystem::path& path) {
  return read_whole(ByteSource(path, "read_torch"));
}

NamedArrays parse_torch(std::span<const std::byte> bytes, std::string_view name) {
  return read_whole(ByteSource(bytes, name, "parse_torch"));
}

WeightsKind weights_kind(const std::filesystem::path& path, std::string_view where) {
  const ByteSource source(path, where);
  std::array<std::byte, 9> first{};
  if (source.size() >= first.size()) {  // the length of a header may look like anything
    source.read_at(0, first);
    if (as_text(first)[8] == '{') return WeightsKind::safetensors;
  }
  if (begins(source, "\x80")) return WeightsKind::torch;
  if (!begins(source, "PK")) return WeightsKind::unknown;
  const auto entries = read_zip_directory(source);
  return std::any_of(entries.begin(), entries.end(),
                     [](const auto& e) { return e.name.ends_with("/data.pkl"); })
             ? WeightsKind::torch
             : WeightsKind::npz;
}

}  // namespace maskgrad::detail
