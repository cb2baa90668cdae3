#include <maskgrad/layers/layer/trace.hpp>

#include <utility>

#include <maskgrad/core/context.hpp>

namespace maskgrad::detail {
namespace {
thread_local Trace* listening = nullptr;
}

Trace::Trace() : before_(std::exchange(listening, this)) {}
Trace::~Trace() {
  listening = before_;
}
Trace* Trace::current() {
  return listening;
}

void Trace::add(const extend::LayerScope& layer, const MaskContract& contract,
                const TimeContract& time, bool has_weights, const Tensors& inputs,
                const Tensors& outputs) {
  Step step{
      std::string(layer.kind()), std::string(layer.path()), contract, time, has_weights, {}, {}};
  for (const auto& x : inputs) step.inputs.push_back(x.value());
  for (const auto& y : outputs) step.outputs.push_back(y.value());
  steps_.push_back(std::move(step));
}

}  // namespace maskgrad::detail
