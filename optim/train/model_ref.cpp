#include <maskgrad/optim/train/model_ref.hpp>

#include <maskgrad/layers/layer/description.hpp>

namespace maskgrad::detail {

std::vector<NamedParameter> ModelRef::named_parameters() const {
  std::vector<NamedParameter> all;
  FirstTime first;
  visit_([&](const LayerView& view) { collect_named(view, first, all); });
  return all;
}

const std::vector<Parameter>& ModelRef::parameters() const {
  if (!parameters_.empty()) return parameters_;
  for (auto& named : named_parameters()) parameters_.push_back(std::move(named.parameter));
  return parameters_;
}

void ModelRef::begin(const Batch& batch) const {
  if (static_cast<std::int64_t>(batch.begins.size()) == batch.size()) return reset_states();
  if (batch.begins.empty()) return;
  visit_([&](const LayerView& view) { view.reset_state(&batch.begins); });
}

void ModelRef::reset_states() const {
  visit_([](const LayerView& view) { view.reset_state(nullptr); });
}

std::string ModelRef::description() const {
  std::string text;
  bool outermost = true;
  visit_([&](const LayerView& view) {
    if (!std::exchange(outermost, false) || !view.is_layer()) return;
    try {
      extend::OptionWriter writer;
      view.write_options(writer);
      text = described(view.kind, writer);
    } catch (const OptionError&) {
      text.clear();  // a layer that lists no options: a model without a description
    }
  });
  return text;
}

Flow ModelRef::mask_flow(const Tensors& like) const {
  return flow_of(*this, built_for_ ? built_for_() : like);
}

}  // namespace maskgrad::detail
