#include <maskgrad/layers/model/sequential.hpp>

#include <maskgrad/layers/model/layer_list.hpp>

namespace maskgrad {

Sequential::Sequential(std::vector<AnyLayer> layers, std::string name)
    : info(kind, std::move(name)), layers_(std::move(layers)) {
  if (layers_.empty()) fail<OptionError>("Sequential", "it has no layers; give it one or more");
  detail::name_layers(kind, layers_);
}

Tensors Sequential::forward(const Tensors& inputs) {
  built_for_.note(inputs);
  Tensors x = inputs;
  for (auto& layer : layers_) {
    if (&layer != &layers_[0]) x.resize(1);  // the next one takes the first result
    x = layer.call(x);
  }
  return x;
}

MaskContract Sequential::contract_now() const {
  return detail::contract_of_all(layers_);
}

}  // namespace maskgrad
