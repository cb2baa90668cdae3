#pragma once

#include <string>
#include <vector>

#include <maskgrad/layers/model/weights_torch.hpp>

namespace maskgrad::torch_mapping {

/// What PyTorch's names of a layer's arrays begin and end with: `encoder.rnn.`, `_l1_reverse`.
struct Affixes {
  std::string front, back;

  std::string around(std::string_view array) const { return front + std::string(array) + back; }
};

/// Of each layer, in order. OptionError for a name of no layer.
std::vector<Affixes> affixes_of(std::string_view where,
                                const std::vector<detail::TorchLayer>& layers,
                                const TorchNames& names);

/// Names by order for the arrays of an nn.Sequential, which begin with numbers: where none is given
/// (but one in front of all) and there are as many modules as layers; else those given.
TorchNames names_by_order(const std::vector<detail::TorchLayer>& layers, const TorchNames& given,
                          const NamedArrays& file);

/// The layers that have weights.
std::vector<detail::TorchLayer> with_weights(const std::vector<detail::TorchLayer>& layers);

}  // namespace maskgrad::torch_mapping
