#include <maskgrad/layers/model/weights_torch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include <maskgrad/core/nearest.hpp>

namespace maskgrad {
namespace {

using detail::TorchLayer;

/// An array of a file as numbers.
struct Numbers {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

/// The arrays of PyTorch's module for one layer, which are taken out of the file.
class Module {
 public:
  Module(NamedArrays& file, std::string prefix, std::string suffix)
      : file_(file), prefix_(std::move(prefix)), suffix_(std::move(suffix)) {}

  std::string name(std::string_view array) const {
    return fmt::format("{}.{}{}", prefix_, array, suffix_);
  }
  std::optional<Numbers> take(std::string_view array) {
    const auto at = std::find_if(file_.begin(), file_.end(), [&](const auto& a) {
      return a.name == name(array) && is_real(a.array.dtype);
    });
    if (at == file_.end()) return {};
    Numbers made{at->array.shape, {}};
    dispatch(at->array.dtype, [&]<class T>() {
      const auto values = at->array.values<T>();
      made.values.assign(values.begin(), values.end());
    });
    file_.erase(at);
    return made;
  }

 private:
  NamedArrays& file_;
  std::string prefix_, suffix_;
};

/// Blocks of the first axis put in the order `gates`; as it is where it does not part so.
Numbers reordered(Numbers x, const std::vector<std::size_t>& gates) {
  if (x.values.size() % gates.size() != 0 || x.shape.empty()) return x;
  const auto block = x.values.size() / gates.size();
  std::vector<double> values;
  for (auto gate : gates) {
    const auto from = x.values.begin() + static_cast<std::ptrdiff_t>(gate * block);
    values.insert(values.end(), from, from + static_cast<std::ptrdiff_t>(block));
  }
  x.values = std::move(values);
  return x;
}

/// As it is where it is no matrix, which then fits nowhere.
Numbers transposed(const Numbers& x) {
  if (x.shape.size() != 2) return x;
  Numbers made{{x.shape[1], x.shape[0]}, {}};
  for (std::int64_t c = 0; c < x.shape[1]; ++c) {
    for (std::int64_t r = 0; r < x.shape[0]; ++r) {
      made.values.push_back(x.values[static_cast<std::size_t>(r * x.shape[1] + c)]);
    }
  }
  return made;
}

/// Of two biases: both as rows, or their sum. Where their sizes differ, a shape that fits nowhere.
Numbers both(const Numbers& a, const Numbers& b, bool sum) {
  const auto n = static_cast<std::int64_t>(a.values.size());
  const bool same = a.shape == b.shape && a.shape.size() == 1;
  Numbers made = a;
  if (same && sum) {
    for (std::size_t i = 0; i < a.values.size(); ++i) made.values[i] += b.values[i];
    return made;
  }
  made.values.insert(made.values.end(), b.values.begin(), b.values.end());
  made.shape = same ? std::vector<std::int64_t>{2, n}
                    : std::vector<std::int64_t>{1, static_cast<std::int64_t>(made.values.size())};
  return made;
}

/// How a layer's weight is made of PyTorch's arrays.
struct Part {
  std::string_view ours;
  std::vector<std::string_view> theirs;
  Numbers (*make)(const std::vector<Numbers>&);
};

const std::vector<std::size_t> zrh = {1, 0, 2};  // PyTorch has r, z, n

Numbers same(const std::vector<Numbers>& x) {
  return x[0];
}
Numbers matrix(const std::vector<Numbers>& x) {
  return transposed(x[0]);
}
Numbers gru_matrix(const std::vector<Numbers>& x) {
  return transposed(reordered(x[0], zrh));
}
Numbers gru_bias(const std::vector<Numbers>& x) {
  return both(reordered(x[0], zrh), reordered(x[1], zrh), false);
}
Numbers bias_sum(const std::vector<Numbers>& x) {
  return both(x[0], x[1], true);
}

struct Row {
  std::string_view kind;
  std::vector<Part> parts;
};

/// The mapping, as weights_torch.hpp states it.
const std::vector<Row>& table() {
  static const std::vector<Part> recurrent = {
      {"kernel", {"weight_ih_l0"}, matrix},
      {"recurrent_kernel", {"weight_hh_l0"}, matrix},
      {"bias", {"bias_ih_l0", "bias_hh_l0"}, bias_sum},
  };
  static const std::vector<Row> rows = {
      {"Dense", {{"kernel", {"weight"}, matrix}, {"bias", {"bias"}, same}}},
      {"Embedding", {{"embeddings", {"weight"}, same}}},
      {"GRU",
       {{"kernel", {"weight_ih_l0"}, gru_matrix},
        {"recurrent_kernel", {"weight_hh_l0"}, gru_matrix},
        {"bias", {"bias_ih_l0", "bias_hh_l0"}, gru_bias}}},
      {"LSTM", recurrent},
      {"SimpleRNN", recurrent},
  };
  return rows;
}

const Row& row_of(const TorchLayer& layer) {
  std::vector<std::string_view> kinds;
  for (const auto& row : table()) {
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

/// Makes the layer's arrays out of the module's, under names that say both.
void convert(const TorchLayer& layer, Module& module, std::vector<NamedParameter>& parameters,
             NamedArrays& arrays) {
  for (const auto& [name, p] : layer.parameters) {
    const auto& parts = row_of(layer).parts;
    const auto part = std::find_if(parts.begin(), parts.end(), [&n = name](const auto& candidate) {
      return candidate.ours == n;
    });
    std::vector<std::string> sources;
    std::vector<Numbers> found;
    for (const auto& theirs : part->theirs) {
      sources.push_back(module.name(theirs));
      if (auto numbers = module.take(theirs)) found.push_back(std::move(*numbers));
    }
    const auto both = fmt::format("{}/{} from {}", layer.path, name, fmt::join(sources, " and "));
    parameters.push_back({both, p});
    if (found.size() != sources.size()) continue;
    const Numbers made = part->make(found);
    arrays.push_back({both, Array::of<double>(made.shape, made.values)});
  }
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
  std::vector<Parameter> own;
  collect_parameters(view, own);
  for (const auto& [path, p] : view.parameters) {
    const bool known = std::any_of(into.begin(), into.end(), [&q = *p](const auto& other) {
      return std::any_of(other.parameters.begin(), other.parameters.end(),
                         [&](const auto& n) { return n.parameter.same(q); });
    });
    if (known) continue;  // a shared weight, under its first path
    layer.parameters.push_back({path.substr(view.path.empty() ? 0 : view.path.size() + 1), *p});
  }
  if (view.kind == "GRU") {
    OptionWriter options;
    view.write_options(options);
    bool reset_after = true;
    OptionReader("GRU", options.json())("reset_after", reset_after);
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
