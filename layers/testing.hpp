#pragma once

#include <maskgrad/autograd/gradcheck.hpp>
#include <maskgrad/autograd/laws/laws.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/layers/model/model.hpp>

namespace maskgrad {

/// Compares the gradients of every parameter and input of a built model with differences, on an f64
/// clone.
/// Throws:   StateError for a model that was not built; what the model throws.
/// Example:  const auto report = mg::gradcheck(model, x);
///           if (!report) fmt::print("{}\n", report.str());
template <Model M>
GradcheckReport gradcheck(const M& model, const Tensors& inputs, GradcheckOptions options = {}) {
  M copy = clone(model, DType::f64);
  for (const auto& p : parameters(copy)) {
    if (p.trainable()) options.variables.push_back(variable_of(p));
  }
  Tensors wide;
  for (const auto& x : inputs) wide.push_back(is_real(x.dtype()) ? cast(x, DType::f64) : x);
  return gradcheck([&copy](const Tensors& xs) { return detail::run_model(copy, xs); }, wide,
                   options);
}
template <Model M>
GradcheckReport gradcheck(const M& model, const Tensor& x, GradcheckOptions options = {}) {
  return gradcheck(model, Tensors{x}, std::move(options));
}

namespace detail {
/// Values for a specification: free sizes become 4 sequences, 5 steps, 3 else; ids are 0 to 2.
Tensor sample_input(const Spec& spec, Seed seed = {11});
}  // namespace detail

/// Runs the mask laws over a layer: builds an f64 one for `spec`, and holds what is seen under
/// masks of many patterns against its contract.
/// Example:  const auto spec = mg::Spec::f32({mg::any, mg::any, 3});
///           const auto report = mg::check_mask_laws(mg::GRU{{.units = 2}}, spec);
///           if (!report) fmt::print("{}\n", report.str());
template <Layer L>
LawReport check_mask_laws(const L& layer, const Spec& spec, LawOptions options = {}) {
  L copy = layer;
  const Tensor x = detail::sample_input(spec);
  if (!copy.info.built) {
    build(copy, is_real(spec.dtype()) ? Spec::f64(x.shape()) : Spec::ids(x.shape()), Seed{3});
  }
  copy = clone(copy, DType::f64);
  for (const auto& p : parameters(copy)) {
    if (p.trainable()) options.variables.push_back(variable_of(p));
  }
  return check_mask_laws([&copy](const Tensors& xs) { return call(copy, xs); },
                         {{"x", InputKind::sequences, x}}, contract_of(copy), options);
}

}  // namespace maskgrad
