#pragma once

#include <string>
#include <vector>

#include <maskgrad/autograd/contract.hpp>
#include <maskgrad/layers/layer/spec.hpp>
#include <maskgrad/layers/layer/time_contract.hpp>

namespace maskgrad::extend {
class LayerScope;
}

namespace maskgrad::detail {

/// Listens to the layers that this thread calls while it lives, in the order in which they end.
class Trace {
 public:
  struct Step {
    std::string kind, path;
    MaskContract contract;
    TimeContract time;
    bool has_weights;  ///< it, or a layer inside it
    Tensors inputs, outputs;
  };

  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  static Trace* current();
  void add(const extend::LayerScope& layer, const MaskContract& contract, const TimeContract& time,
           bool has_weights, const Tensors& inputs, const Tensors& outputs);
  const std::vector<Step>& steps() const { return steps_; }

 private:
  Trace* before_;
  std::vector<Step> steps_;
};

}  // namespace maskgrad::detail
