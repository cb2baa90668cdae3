#include <maskgrad/layers/model/weights_torch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include <maskgrad/layers/model/torch_mapping.hpp>
#include <maskgrad/layers/model/torch_names.hpp>

namespace maskgrad {
namespace {

using detail::TorchLayer;
using torch_mapping::Affixes;
using torch_mapping::List;
using torch_mapping::Numbers;
using torch_mapping::Part;
using torch_mapping::Row;

const Row& row_of(std::string_view where, const TorchLayer& layer) {
  std::vector<std::string_view> kinds;
  for (const auto& row : torch_mapping::table()) {
    if (row.kind == layer.kind) return row;
    kinds.push_back(row.kind);
  }
  fail<OptionError>(where, "no mapping for {} '{}', which has weights; there is one for: {}",
                    layer.kind, layer.path, fmt::join(kinds, ", "));
}

Numbers numbers_of(const Array& array) {
  Numbers made{array.shape, {}};
  extend::dispatch(array.dtype, [&]<class T>() {
    const auto values = array.values<T>();
    made.values.assign(values.begin(), values.end());
  });
  return made;
}

/// The arrays of the file by name, with those that were read.
class TorchFile {
 public:
  explicit TorchFile(const NamedArrays& arrays) : arrays_(arrays) {
    for (const auto& a : arrays) by_name_.emplace(a.name, &a.array);
  }

  const Array* find(const std::string& name) const {
    const auto at = by_name_.find(name);
    return at == by_name_.end() || !is_real(at->second->dtype) ? nullptr : at->second;
  }
  void read(const std::string& name) { read_.insert(name); }
  /// What no layer took.
  NamedArrays rest() const {
    NamedArrays made;
    for (const auto& a : arrays_) {
      if (read_.count(a.name) == 0) made.push_back(a);
    }
    return made;
  }

 private:
  const NamedArrays& arrays_;
  std::map<std::string_view, const Array*> by_name_;
  std::set<std::string> read_;
};

const Part& part_of(const Row& row, const TorchLayer& layer, std::string_view name,
                    const Affixes& affixes, const TorchFile& file) {
  const Part* first = nullptr;
  for (const auto& part : row.ours) {
    if (part.made != name) continue;
    if (std::all_of(part.of.begin(), part.of.end(),
                    [&](auto theirs) { return file.find(affixes.around(theirs)) != nullptr; })) {
      return part;
    }
    if (!first) first = &part;
  }
  if (first) return *first;
  fail<OptionError>("load_torch_weights", "{} '{}' has a weight '{}', for which PyTorch has none",
                    layer.kind, layer.path, name);
}

/// What a layer's weights are set from, under names that say both.
class Conversion {
 public:
  explicit Conversion(TorchFile& file) : file_(file) {}
  std::vector<NamedParameter> parameters;
  NamedArrays arrays;

  void add(const TorchLayer& layer, const Affixes& affixes) {
    const Row& row = row_of("load_torch_weights", layer);
    std::vector<std::string> read;  // an array may hold several weights
    for (const auto& [name, p] : layer.parameters) {
      const Part& part = part_of(row, layer, name, affixes, file_);
      std::vector<std::string> sources;
      List found;
      for (const auto& theirs : part.of) {
        sources.push_back(affixes.around(theirs));
        const auto* array = file_.find(sources.back());
        if (!array) continue;
        found.push_back(numbers_of(*array));
        read.push_back(sources.back());
      }
      const auto both = fmt::format("{}/{} from {}", layer.path, name, fmt::join(sources, " and "));
      parameters.push_back({both, p});
      if (found.size() != sources.size()) continue;
      const Numbers made = torch_mapping::split_as(part.make(found), p.shape());
      arrays.push_back({both, Array::of<double>(made.shape, made.values)});
    }
    for (const auto& name : read) file_.read(name);
    if (!row.count.empty()) file_.read(affixes.around(row.count));
  }

 private:
  TorchFile& file_;
};

}  // namespace

LoadReport load_torch_weights(const std::vector<TorchLayer>& all, const std::filesystem::path& path,
                              const TorchNames& names, LoadOptions options) {
  constexpr std::string_view where = "load_torch_weights";
  const auto layers = torch_mapping::with_weights(all);
  for (const auto& layer : layers) row_of(where, layer);
  const NamedArrays arrays = detail::read_arrays(where, path);
  TorchFile file(arrays);
  const auto affixes = torch_mapping::affixes_of(
      where, layers, torch_mapping::names_by_order(layers, names, arrays));
  Conversion made(file);
  for (std::size_t i = 0; i < layers.size(); ++i) made.add(layers[i], affixes[i]);
  const auto rest = file.rest();
  made.arrays.insert(made.arrays.end(), rest.begin(), rest.end());
  return detail::put_weights(where, path, made.parameters, made.arrays, options);
}

namespace {

std::optional<Tensor> weight_of(const TorchLayer& layer, std::string_view name) {
  for (const auto& p : layer.parameters) {
    if (p.name == name) return p.parameter.tensor().value();
  }
  return {};
}

/// Whether PyTorch keeps an attention's query, key and value in one matrix: they read the same
/// number of features. OptionError where PyTorch cannot have such heads.
bool in_one(const TorchLayer& layer) {
  const auto extent = [&](std::string_view name, int axis) {
    const auto kernel = weight_of(layer, name);
    return kernel ? kernel->shape()[axis] : 0;
  };
  const auto width = extent("query/kernel", 1) * extent("query/kernel", 2);
  const auto values = extent("value/kernel", 1) * extent("value/kernel", 2);
  if (extent("query/kernel", 0) != width || values != width ||
      extent("output/kernel", 2) != width) {
    fail<OptionError>("save_torch_weights",
                      "MultiHeadAttention '{}' reads {} features and has heads of {} in all, of {} "
                      "for values; PyTorch's have as many as the features: choose key_dim so",
                      layer.path, extent("query/kernel", 0), width, values);
  }
  return extent("key/kernel", 0) == width && extent("value/kernel", 0) == width;
}

Array array_of(const Numbers& x, DType type) {
  if (type == DType::f64) return Array::of<double>(x.shape, x.values);
  return Array::of<float>(x.shape, std::vector<float>(x.values.begin(), x.values.end()));
}

/// Adds PyTorch's arrays of a layer.
void add_theirs(const TorchLayer& layer, const Affixes& affixes, NamedArrays& arrays) {
  const Row& row = row_of("save_torch_weights", layer);
  const bool heads = layer.kind == "MultiHeadAttention", one = heads && in_one(layer);
  const DType type = layer.parameters.front().parameter.tensor().dtype();
  for (const auto& part : row.theirs) {
    if (heads && (one ? part.made.ends_with("_proj_weight") && part.made != "in_proj_weight"
                      : part.made == "in_proj_weight")) {
      continue;
    }
    List found;
    for (const auto& ours : part.of) {
      if (const auto w = weight_of(layer, ours)) found.push_back(numbers_of(detail::array_of(*w)));
    }
    if (found.size() != part.of.size()) continue;
    arrays.push_back({affixes.around(part.made), array_of(part.make(found), type)});
  }
  if (row.count.empty()) return;
  arrays.push_back(
      {affixes.around(row.count), Array::of<std::int64_t>({}, std::vector<std::int64_t>{0})});
}

}  // namespace

void save_torch_weights(const std::vector<TorchLayer>& all, const std::filesystem::path& path,
                        const TorchNames& names) {
  constexpr std::string_view where = "save_torch_weights";
  detail::check_weights_ending(where, path);
  const auto layers = torch_mapping::with_weights(all);
  const auto affixes = torch_mapping::affixes_of(where, layers, names);
  NamedArrays arrays;
  for (std::size_t i = 0; i < layers.size(); ++i) add_theirs(layers[i], affixes[i], arrays);
  std::set<std::string_view> seen;
  for (const auto& a : arrays) {
    if (seen.insert(a.name).second) continue;
    fail<OptionError>(where, "two layers give an array '{}'; give them names of their own", a.name);
  }
  detail::write_arrays(path, arrays);
}

}  // namespace maskgrad
