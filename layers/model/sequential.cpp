#include <maskgrad/layers/model/sequential.hpp>

#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/layers/layer/layer_list.hpp>

namespace maskgrad {
namespace {

struct SequentialOptions {
  std::string name;
  std::vector<extend::JsonPart> layers;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("name", o.name);
    f(extend::required("layers"), o.layers);
  }
};

}  // namespace

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

Sequential Sequential::from_options(extend::OptionReader& reader) {
  const auto options = extend::read_options<SequentialOptions>(reader);
  std::vector<AnyLayer> layers;
  for (const auto& layer : options.layers) {
    layers.push_back(detail::layer_from("Sequential", layer));
  }
  return Sequential(std::move(layers), options.name);
}

void Sequential::write_options(extend::OptionWriter& writer) const {
  SequentialOptions options{info.named ? info.name : std::string(), {}};
  for (const auto& layer : layers_) options.layers.push_back(detail::part_of(layer));
  SequentialOptions::each_option(options, detail::Taking{writer});
}

}  // namespace maskgrad
