#pragma once

#include <optional>

#include <maskgrad/autograd/callable.hpp>
#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

struct LambdaOptions {
  std::string name = {};
  /// What it does along time, where its mask contract does not say it.
  std::optional<TimeContract> time = {};
};

/// A function of tensors as a layer, with the contract that it is declared to keep. Weights belong
/// into a class of one's own (layers/layer/layer.hpp), which also has a description.
/// Shapes:   those of the function, from one tensor or several to one or several.
/// Mask:     as declared, and held to it in each call; undeclared, it refuses every mask.
/// Throws:   MaskError where the function does something else with a mask; OptionError when it is
///           to be described in JSON, or made from it.
/// Source:   Keras 3, Lambda.
/// Example:  mg::Lambda squares{
///               [](const mg::Tensor& x) { return mg::square(x); },
///               {.role = mg::MaskRole::propagates, .why = "each value is squared"}};
///           squares(x);  // [4, 5, 3]
class Lambda {
 public:
  static constexpr std::string_view kind = "Lambda";
  static constexpr MaskContract contract{
      .role = MaskRole::unsupported,
      .why = "what its function does with a mask is not declared",
      .ways_out = "a contract as its second argument · x.drop_mask(\"why\")",
      .after = "refused when the graph is built; else as declared",
      .keras = "drops the mask"};

  explicit Lambda(Callable function, MaskContract declared = contract, LambdaOptions options = {});
  [[noreturn]] static Lambda from_options(extend::OptionReader& reader);
  [[noreturn]] void write_options(extend::OptionWriter& writer) const;

  MaskContract contract_now() const { return declared_; }
  TimeContract time_now() const { return time_.value_or(detail::time_by_mask(declared_)); }
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensors forward(const Tensors& inputs) const;

  LayerInfo info;

 private:
  void check_mask(const Tensors& inputs, const Tensor& y) const;

  Callable function_;
  MaskContract declared_;
  std::optional<TimeContract> time_;
};

}  // namespace maskgrad
