#include <maskgrad/layers/model/weights_torch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/model/torch_mapping.hpp>

namespace maskgrad {
namespace {

using detail::TorchLayer;
using torch_mapping::Numbers;
using torch_mapping::Part;
using torch_mapping::Row;

/// The arrays of PyTorch's module for one layer, which are taken out of the file at the end: one
/// may hold several weights.
class Module {
 public:
  Module(NamedArrays& file, std::string prefix, std::string suffix)
      : file_(file), prefix_(std::move(prefix)), suffix_(std::move(suffix)) {}

  std::string name(std::string_view array) const {
    return fmt::format("{}.{}{}", prefix_, array, suffix_);
  }
  bool has(std::string_view array) const { return find(array) != file_.end(); }
  std::optional<Numbers> read(std::string_view array) {
    const auto at = find(array);
    if (at == file_.end()) return {};
    read_.insert(at->name);
    Numbers made{at->array.shape, {}};
    extend::dispatch(at->array.dtype, [&]<class T>() {
      const auto values = at->array.values<T>();
      made.values.assign(values.begin(), values.end());
    });
    return made;
  }
  /// Takes what was read out of the file.
  void finish() {
    std::erase_if(file_, [&](const auto& a) { return read_.count(a.name) > 0; });
  }

 private:
  NamedArrays::iterator find(std::string_view array) const {
    return std::find_if(file_.begin(), file_.end(), [&](const auto& a) {
      return a.name == name(array) && is_real(a.array.dtype);
    });
  }

  NamedArrays& file_;
  std::set<std::string> read_;
  std::string prefix_, suffix_;
};

const Row& row_of(const TorchLayer& layer) {
  std::vector<std::string_view> kinds;
  for (const auto& row : torch_mapping::table()) {
    if (row.kind == layer.kind) return row;
    kinds.push_back(row.kind);
  }
  fail<OptionError>("load_torch_weights",
                    "no mapping for {} '{}', which has weights; there is one for: {}", layer.kind,
                    layer.path, fmt::join(kinds, ", "));
}

/// PyTorch's prefix and suffix for a layer; the backward half of a Bidirectional is `_reverse`.
std::pair<std::string, std::string> torch_name(const TorchLayer& layer, const TorchNames& names) {
  const std::string path = layer.half.empty() ? layer.path : layer.parent;
  const auto at = names.find(path);
  std::string prefix = at != names.end() ? at->second : path;
  if (at == names.end()) std::replace(prefix.begin(), prefix.end(), '/', '.');
  return {prefix, layer.half == "backward" ? "_reverse" : ""};
}

void check_names(const std::vector<TorchLayer>& layers, const TorchNames& names) {
  std::vector<std::string_view> paths;
  for (const auto& layer : layers) {
    paths.push_back(layer.half.empty() ? layer.path : layer.parent);
  }
  for (const auto& entry : names) {
    if (std::find(paths.begin(), paths.end(), entry.first) != paths.end()) continue;
    fail<OptionError>("load_torch_weights", "no layer with weights is at '{}'; {}", entry.first,
                      nearest_hint(entry.first, paths));
  }
}

const Part& part_of(const TorchLayer& layer, std::string_view name, const Module& module) {
  const Part* first = nullptr;
  for (const auto& part : row_of(layer).parts) {
    if (part.ours != name) continue;
    if (std::all_of(part.theirs.begin(), part.theirs.end(),
                    [&](const auto& theirs) { return module.has(theirs); })) {
      return part;
    }
    if (!first) first = &part;
  }
  return *first;
}

/// Makes the layer's arrays out of the module's, under names that say both.
void convert(const TorchLayer& layer, Module& module, std::vector<NamedParameter>& parameters,
             NamedArrays& arrays) {
  for (const auto& [name, p] : layer.parameters) {
    const Part& part = part_of(layer, name, module);
    std::vector<std::string> sources;
    std::vector<Numbers> found;
    for (const auto& theirs : part.theirs) {
      sources.push_back(module.name(theirs));
      if (auto numbers = module.read(theirs)) found.push_back(std::move(*numbers));
    }
    const auto both = fmt::format("{}/{} from {}", layer.path, name, fmt::join(sources, " and "));
    parameters.push_back({both, p});
    if (found.size() != sources.size()) continue;
    const Numbers made = torch_mapping::split_as(part.make(found), p.shape());
    arrays.push_back({both, Array::of<double>(made.shape, made.values)});
  }
  module.finish();
}

}  // namespace

namespace detail {

void collect_torch(const LayerView& view, std::vector<TorchLayer>& into) {
  TorchLayer layer{view.path, std::string(view.kind), {}, {}, {}};
  const auto slash = view.path.rfind('/');
  for (const auto& other : into) {
    if (other.kind != "Bidirectional" || other.path != view.path.substr(0, slash)) continue;
    layer.parent = other.path;
    layer.half = view.path.substr(slash + 1);
  }
  check_built(view);
  for (const auto& [path, p] : view.parameters) {
    const bool known = std::any_of(into.begin(), into.end(), [&q = *p](const auto& other) {
      return std::any_of(other.parameters.begin(), other.parameters.end(),
                         [&](const auto& n) { return n.parameter.same(q); });
    });
    if (known) continue;  // a shared weight, under its first path
    layer.parameters.push_back({path.substr(view.path.empty() ? 0 : view.path.size() + 1), *p});
  }
  if (view.kind == "GRU") {
    extend::OptionWriter options;
    view.write_options(options);
    bool reset_after = true;
    extend::OptionReader("GRU", options.json())("reset_after", reset_after);
    if (!reset_after) {
      fail<OptionError>("load_torch_weights",
                        "GRU '{}' has reset_after false, which PyTorch's GRU has not; make it with "
                        "reset_after true",
                        view.path);
    }
  }
  into.push_back(std::move(layer));
}

}  // namespace detail

LoadReport load_torch_weights(const std::vector<detail::TorchLayer>& all,
                              const std::filesystem::path& path, const TorchNames& names,
                              LoadOptions options) {
  constexpr std::string_view where = "load_torch_weights";
  std::vector<TorchLayer> layers;
  for (const auto& layer : all) {
    if (!layer.parameters.empty()) layers.push_back(layer);
  }
  check_names(layers, names);
  NamedArrays file = detail::read_arrays(where, path), arrays;
  std::vector<NamedParameter> parameters;
  for (const auto& layer : layers) {
    const auto [prefix, suffix] = torch_name(layer, names);
    Module module(file, prefix, suffix);
    convert(layer, module, parameters, arrays);
  }
  arrays.insert(arrays.end(), file.begin(), file.end());
  return detail::put_weights(where, path, parameters, arrays, options);
}

}  // namespace maskgrad
