#include <maskgrad/layers/model/torch_names.hpp>

#include <algorithm>
#include <set>

#include <maskgrad/core/nearest.hpp>

namespace maskgrad {
namespace {

using detail::TorchLayer;

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::string_view leaf_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

const TorchLayer* layer_at(const std::vector<TorchLayer>& layers, std::string_view path) {
  const auto at =
      std::find_if(layers.begin(), layers.end(), [&](const auto& l) { return l.path == path; });
  return at == layers.end() ? nullptr : &*at;
}

/// PyTorch's name of a part of its Transformer layers, by ours.
std::string block_leaf(const TorchLayer& block, std::string_view leaf, bool crosses) {
  if (leaf == "self_attention_layer_norm") return "norm1";
  if (leaf == "cross_attention") return "multihead_attn";
  if (leaf == "cross_attention_layer_norm") return "norm2";
  if (leaf == "feedforward_intermediate_dense") return "linear1";
  if (leaf == "feedforward_output_dense") return "linear2";
  if (leaf == "feedforward_layer_norm") return crosses ? "norm3" : "norm2";
  const auto own = block.kind == "TransformerEncoder" ? "self_attention_layer" : "self_attention";
  return leaf == own ? "self_attn" : std::string(leaf);
}

bool is_recurrent(std::string_view kind) {
  return kind == "GRU" || kind == "LSTM" || kind == "SimpleRNN";
}

bool is_cell(std::string_view kind) {
  return kind == "GRUCell" || kind == "LSTMCell" || kind == "SimpleRNNCell";
}

/// Finds the module that the layer is a part of: what it lies in, from the inside out.
void find_module(TorchLayer& layer, const std::vector<TorchLayer>& before) {
  layer.module = layer.path;
  layer.stacked = is_recurrent(layer.kind);
  bool in_rnn = layer.stacked;
  for (std::string_view inner = layer.path; !inner.empty(); inner = parent_of(inner)) {
    const auto* outer = layer_at(before, parent_of(inner));
    if (!outer || outer->path == inner) continue;
    if (outer->kind == "RNN" && is_cell(layer.kind)) in_rnn = true;
    if (in_rnn && (outer->kind == "RNN" || outer->kind == "Bidirectional")) {
      layer.module = outer->path;
      layer.stacked = true;
    }
    if (in_rnn && outer->kind == "Bidirectional") layer.backward = leaf_of(inner) == "backward";
    if (inner == layer.path && outer->kind.starts_with("Transformer")) {
      const bool crosses = layer_at(before, outer->path + "/cross_attention") != nullptr;
      layer.leaf = block_leaf(*outer, leaf_of(inner), crosses);
    }
  }
}

void check_reset_after(const detail::LayerView& view) {
  extend::OptionWriter options;
  view.write_options(options);
  bool reset_after = true;
  extend::OptionReader(view.kind, options.json())("reset_after", reset_after);
  if (reset_after) return;
  fail<OptionError>("load_torch_weights",
                    "{} '{}' has reset_after false, which PyTorch's GRU has not; make it with "
                    "reset_after true",
                    view.kind, view.path);
}

}  // namespace

namespace detail {

void collect_torch(const LayerView& view, std::vector<TorchLayer>& into) {
  TorchLayer layer{view.path, std::string(view.kind), {}, {}, false, false, {}};
  check_built(view);
  for (const auto& [path, p] : view.parameters) {
    const bool known = std::any_of(into.begin(), into.end(), [&q = *p](const auto& other) {
      return std::any_of(other.parameters.begin(), other.parameters.end(),
                         [&](const auto& n) { return n.parameter.same(q); });
    });
    if (known) continue;  // a shared weight, under its first path
    layer.parameters.push_back({path.substr(view.path.empty() ? 0 : view.path.size() + 1), *p});
  }
  if (view.kind == "GRU" || view.kind == "GRUCell") check_reset_after(view);
  find_module(layer, into);
  into.push_back(std::move(layer));
}

}  // namespace detail

namespace torch_mapping {
namespace {

/// A name under another, either of which may be empty.
std::string joined(const std::string& front, std::string_view name) {
  if (front.empty() || name.empty()) return front + std::string(name);
  return front + "." + std::string(name);
}

/// PyTorch's name of what lies at `path`.
std::string name_of(std::string_view path, const std::vector<TorchLayer>& layers,
                    const TorchNames& names) {
  const auto given = names.find(std::string(path));
  if (given != names.end()) return given->second;
  if (path.empty()) return {};
  const auto* layer = layer_at(layers, path);
  const std::string_view leaf = layer && !layer->leaf.empty() ? layer->leaf : leaf_of(path);
  return joined(name_of(parent_of(path), layers, names), leaf);
}

void check_names(std::string_view where, const std::vector<TorchLayer>& layers,
                 const TorchNames& names) {
  std::vector<std::string_view> paths;
  for (const auto& layer : layers) {
    for (std::string_view at = layer.module; !at.empty(); at = parent_of(at)) paths.push_back(at);
  }
  for (const auto& entry : names) {
    if (entry.first.empty() || std::find(paths.begin(), paths.end(), entry.first) != paths.end()) {
      continue;
    }
    fail<OptionError>(where, "no layer with weights is at '{}'; {}", entry.first,
                      nearest_hint(entry.first, paths));
  }
}

}  // namespace

std::vector<TorchLayer> with_weights(const std::vector<TorchLayer>& layers) {
  std::vector<TorchLayer> made;
  for (const auto& layer : layers) {
    if (!layer.parameters.empty()) made.push_back(layer);
  }
  return made;
}

std::vector<Affixes> affixes_of(std::string_view where, const std::vector<TorchLayer>& layers,
                                const TorchNames& names) {
  check_names(where, layers, names);
  std::vector<Affixes> all;
  std::map<std::pair<std::string, bool>, int> numbers;  // of a module's layers, by direction
  for (const auto& layer : layers) {
    const auto module = name_of(layer.module, layers, names);
    Affixes made{module.empty() ? module : module + ".", {}};
    if (layer.stacked) {
      made.back = fmt::format("_l{}{}", numbers[{module, layer.backward}]++,
                              layer.backward ? "_reverse" : "");
    }
    all.push_back(std::move(made));
  }
  return all;
}

TorchNames names_by_order(const std::vector<TorchLayer>& layers, const TorchNames& given,
                          const NamedArrays& file) {
  const auto only = given.find("");
  if (given.size() > 1 || (given.size() == 1 && only == given.end())) return given;
  const std::string front = given.empty() || only->second.empty() ? "" : only->second + ".";
  std::set<std::size_t> modules;
  for (const auto& a : file) {
    if (!a.name.starts_with(front)) return given;
    const auto number = a.name.substr(front.size(), a.name.find('.', front.size()) - front.size());
    constexpr std::size_t longest = 6;
    if (number.empty() || number.size() > longest ||
        number.find_first_not_of("0123456789") != number.npos) {
      return given;
    }
    modules.insert(std::stoul(number));
  }
  std::vector<std::string> paths;  // of the outermost of the layers, each once
  for (const auto& layer : layers) {
    const auto path = layer.module.substr(0, layer.module.find('/'));
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
  }
  if (paths.size() != modules.size()) return given;
  TorchNames made = given;
  auto module = modules.begin();
  for (const auto& path : paths) made[path] = front + std::to_string(*module++);
  return made;
}

}  // namespace torch_mapping
}  // namespace maskgrad
