#pragma once

#include <map>

#include <maskgrad/layers/model/weights_file.hpp>

namespace maskgrad {

/// PyTorch's name of a layer, by the layer's path: {{"encoder/gru", "rnn"}}. The path itself, with
/// '.' for '/', where there is none.
using TorchNames = std::map<std::string, std::string>;

namespace detail {
/// A layer as the mapping sees it.
struct TorchLayer {
  std::string path, kind;
  std::vector<NamedParameter> parameters;  ///< by their name in the layer
  std::string parent, half;  ///< of a Bidirectional: its path, and `forward` or `backward`
};
void collect_torch(const LayerView& view, std::vector<TorchLayer>& into);
}  // namespace detail

/// Sets the weights of a model from those that PyTorch wrote (its state_dict, as safetensors or
/// npz), one of its modules for each layer that has weights. Where PyTorch's arrays differ:
///   Dense      Linear: kernel = weight^T
///   Embedding  Embedding: embeddings = weight
///   GRU        GRU: kernel = weight_ih_l0^T, recurrent_kernel = weight_hh_l0^T, bias = the rows
///              bias_ih_l0, bias_hh_l0; its gates r, z, n put in the order z, r, h
///   LSTM, SimpleRNN     LSTM, RNN: the same, gates i, f, g, o as i, f, c, o; bias = both added
///   LayerNormalization  LayerNorm: gamma = weight, beta = bias
///   MultiHeadAttention  MultiheadAttention: query, key and value/kernel = the thirds of
///              in_proj_weight^T (else q_, k_ and v_proj_weight^T), output/kernel =
///              out_proj.weight^T, the axis of heads split; biases likewise
///   Bidirectional  by its own name; the backward half takes the arrays that end in _reverse
/// Throws:   OptionError for a layer with weights that is none of these, and for a GRU without
///           reset_after, which PyTorch has not; FileError as load_weights, with nothing changed.
LoadReport load_torch_weights(const std::vector<detail::TorchLayer>& layers,
                              const std::filesystem::path& path, const TorchNames& names = {},
                              LoadOptions options = {});
template <Model M>
LoadReport load_torch_weights(const M& model, const std::filesystem::path& path,
                              const TorchNames& names = {}, LoadOptions options = {}) {
  std::vector<detail::TorchLayer> layers;
  detail::visit_model(model,
                      [&](const detail::LayerView& view) { detail::collect_torch(view, layers); });
  return load_torch_weights(layers, path, names, options);
}

}  // namespace maskgrad
