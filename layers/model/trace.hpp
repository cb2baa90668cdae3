#pragma once

#include <string>
#include <vector>

#include <maskgrad/autograd/contract.hpp>
#include <maskgrad/layers/spec.hpp>

namespace maskgrad {

class LayerScope;

/// The layers that this thread calls while one lives, in order: what mask_flow shows.
class Trace {
 public:
  struct Step {
    std::string kind, path;
    MaskContract contract;
    Tensors inputs, outputs;
  };

  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  static Trace* current();
  void add(const LayerScope& layer, const MaskContract& contract, const Tensors& inputs,
           const Tensors& outputs);
  const std::vector<Step>& steps() const { return steps_; }
  /// A line a call: layer, role, what goes in and what comes out.
  std::string table() const;

 private:
  Trace* before_;
  std::vector<Step> steps_;
};

}  // namespace maskgrad
