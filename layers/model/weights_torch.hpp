#pragma once

#include <map>

#include <maskgrad/layers/model/weights_file.hpp>

namespace maskgrad {

/// PyTorch's name of a layer, by the layer's path: {{"encoder/gru", "rnn"}}; those of the layers
/// inside it follow. {{"", "model"}} puts a name in front of all others. Without an entry it is the
/// path, with '.' for '/'. Recurrent layers under one name are a module's num_layers, in order.
using TorchNames = std::map<std::string, std::string>;

namespace detail {
/// A layer as the mapping sees it.
struct TorchLayer {
  std::string path, kind;
  std::vector<NamedParameter> parameters;  ///< by their name in the layer
  std::string module;  ///< the path of what is one of PyTorch's modules: of a Bidirectional, or of
                       ///< the RNN that a cell runs in; else its own
  bool stacked = false;  ///< one of a module's num_layers
  bool backward = false;
  std::string leaf;  ///< PyTorch's last name, where the layer is a part of a Transformer block
};
void collect_torch(const LayerView& view, std::vector<TorchLayer>& into);
template <class M>
std::vector<TorchLayer> torch_layers(const M& model) {
  std::vector<TorchLayer> layers;
  visit_model(model, [&](const LayerView& view) { collect_torch(view, layers); });
  return layers;
}
}  // namespace detail

/// Sets the weights of a model from PyTorch's state_dict, or the one in a checkpoint, as torch.save,
/// safetensors or npz wrote it, told by the file's bytes (a pickle is read, never run). Gates are
/// put in Keras's order, kernels transposed, biases of an LSTM added. Of Linear, Embedding, Conv1d
/// and ConvTranspose1d, PReLU, BatchNorm1d, LayerNorm, GroupNorm, RMSNorm, MultiheadAttention,
/// Transformer{En,De}coderLayer, RNN, LSTM, GRU (num_layers, bidirectional), also as cells in an
/// RNN. Without names the arrays of an nn.Sequential ("0.weight") go to the layers in order.
/// Throws:   OptionError for a layer with weights that PyTorch has not, and for a GRU without
///           reset_after; FileError that lists all that is missing, unexpected or of another
///           shape, with nothing changed.
/// Example:  mg::save_torch_weights(model, "weights.pt");
///           mg::load_torch_weights(model, "weights.pt");
LoadReport load_torch_weights(const std::vector<detail::TorchLayer>& layers,
                              const std::filesystem::path& path, const TorchNames& names = {},
                              LoadOptions options = {});
template <Model M>
LoadReport load_torch_weights(const M& model, const std::filesystem::path& path,
                              const TorchNames& names = {}, LoadOptions options = {}) {
  return load_torch_weights(detail::torch_layers(model), path, names, options);
}

/// Writes the weights as a state_dict of PyTorch's; the ending says how: `.pt` or `.pth` (for
/// torch.load), `.safetensors` or `.npz`. An LSTM's or SimpleRNN's one bias is bias_ih, beside a
/// bias_hh of 0.
/// Throws:   OptionError as load_torch_weights, for attention whose heads do not add up to the
///           features, and for two layers of one name; FileError.
/// Example:  mg::save_torch_weights(model, "weights.pt", {{"", "model"}});
void save_torch_weights(const std::vector<detail::TorchLayer>& layers,
                        const std::filesystem::path& path, const TorchNames& names = {});
template <Model M>
void save_torch_weights(const M& model, const std::filesystem::path& path,
                        const TorchNames& names = {}) {
  save_torch_weights(detail::torch_layers(model), path, names);
}

}  // namespace maskgrad
