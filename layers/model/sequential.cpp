#include <maskgrad/layers/model/sequential.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace maskgrad {
namespace {

/// Names by position for the layers that were given none; a given name may stand once.
void name_layers(std::vector<AnyLayer>& layers) {
  std::set<std::string> taken;
  for (auto& layer : layers) {
    if (!layer.info().named) continue;
    if (!taken.insert(layer.info().name).second) {
      fail<OptionError>("Sequential", "two layers are named '{}'; give each its own .name",
                        layer.info().name);
    }
  }
  std::map<std::string, int> count;
  for (auto& layer : layers) {
    auto& info = layer.info();
    if (info.named) continue;
    const std::string base = info.name;
    std::string name;
    do {
      const int n = count[base]++;
      name = n == 0 ? base : base + "_" + std::to_string(n);
    } while (taken.count(name));
    info.name = info.path = name;
  }
}

}  // namespace

Sequential::Sequential(std::vector<AnyLayer> layers, std::string name)
    : info(kind, std::move(name)), layers_(std::move(layers)) {
  if (layers_.empty()) fail<OptionError>("Sequential", "it has no layers; give it one or more");
  name_layers(layers_);
}

Tensors Sequential::forward(const Tensors& inputs) {
  if (Builder::current()) {
    built_for_.clear();
    for (const auto& x : inputs) built_for_.push_back(x.value());
  }
  Tensors x = inputs;
  for (auto& layer : layers_)
    x = layer.call(
        {x.begin(),
         x.begin() + (&layer == &layers_[0] ? static_cast<std::ptrdiff_t>(x.size()) : 1)});
  return x;
}

MaskContract Sequential::contract_now() const {
  MaskContract whole{.role = MaskRole::propagates, .why = "each of its layers stays inside a row"};
  for (const auto& layer : layers_) {
    const auto contract = layer.contract();
    switch (contract.role) {
      case MaskRole::produces:
      case MaskRole::consumes:
      case MaskRole::unsupported:
        return contract;  // the first that makes, ends or refuses a mask decides
      case MaskRole::supports:
        whole = contract;
        break;
      case MaskRole::propagates:
        break;
    }
  }
  return whole;
}

std::string Sequential::mask_flow() {
  if (built_for_.empty()) {
    fail<StateError>("mask_flow", "the model was not built yet; call build(Spec) first");
  }
  const NoGrad no_grad;
  const Trace trace;
  Tensors inputs;
  for (const auto& x : built_for_) {
    inputs.push_back(
        rows::make_meta(x.shape(), x.dtype(),
                        x.has_mask() ? masks::meta(x.mask().shape(), x.mask().origin()) : Mask()));
  }
  maskgrad::call(*this, inputs);
  return trace.table();
}

}  // namespace maskgrad
