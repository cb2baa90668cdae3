#pragma once

#include <string>
#include <vector>

#include <maskgrad/layers/model/trace.hpp>
#include <maskgrad/layers/visit.hpp>

namespace maskgrad {

/// A model: a layer, a container, or a class of the user's own that is called with a tensor and
/// lists its layers: `each_layer(self, f)` calls `f("name", self.layer)` for each.
template <class M>
concept Model = Layer<M> || requires(M& m, const Tensor& x) {
  M::each_layer(m, [](auto&&, auto&) {});
  m(x);
};

namespace detail {

template <class M>
Tensors run_model(M& model, const Tensors& inputs) {
  if constexpr (Layer<M>) {
    return call(model, inputs);
  } else if constexpr (requires { model(inputs); }) {
    return as_tensors(model(inputs));
  } else {
    if (inputs.size() != 1) refuse_inputs(inputs.size());
    return as_tensors(model(inputs[0]));
  }
}

void set_path(LayerView& view);
void collect_parameters(const LayerView& view, std::vector<Parameter>& into);
/// Replaces each parameter by another with the same values; what was shared stays shared.
class Cloner {
 public:
  explicit Cloner(DType dtype, bool keep_dtype) : dtype_(dtype), keep_(keep_dtype) {}
  void operator()(const LayerView& view);

 private:
  DType dtype_;
  bool keep_;
  std::vector<std::pair<Parameter, Parameter>> made_;
};

}  // namespace detail

/// Makes the weights of a model from the specification of its input, and checks shapes and masks
/// through all of it, before there is any data. Layers that have weights already keep them. The
/// weights depend on `seed` and their paths. Gives the outputs as meta tensors.
/// Throws:   what the layers throw, with their paths; the model is then as it was.
template <Model M>
Tensors build(M& model, const std::vector<Spec>& specs, Seed seed = {}) {
  visit_model(model, [](LayerView view) { detail::set_path(view); });
  Tensors metas;
  for (const auto& spec : specs) metas.push_back(spec.meta());
  const bool real = !specs.empty() && is_real(specs[0].dtype());
  Builder builder(seed, real ? specs[0].dtype() : DType::f32);
  const NoGrad no_grad;
  Tensors outputs = detail::run_model(model, metas);
  builder.keep();
  return outputs;
}
template <Model M>
Tensors build(M& model, const Spec& spec, Seed seed = {}) {
  return build(model, std::vector<Spec>{spec}, seed);
}

/// Every parameter of a model, each once, trainable or not. StateError before it is built.
template <Model M>
std::vector<Parameter> parameters(const M& model) {
  std::vector<Parameter> all;
  visit_model(model, [&](const LayerView& view) { detail::collect_parameters(view, all); });
  return all;
}

/// A model of its own with the same weights, in another type where one is given. (A copy shares
/// its weights with the original.)
template <Model M>
M clone(const M& model) {
  M copy = model;
  visit_model(copy, detail::Cloner(DType::f32, true));
  return copy;
}
template <Model M>
M clone(const M& model, DType dtype) {
  M copy = model;
  visit_model(copy, detail::Cloner(dtype, false));
  return copy;
}

/// The output under Evaluate: no tape, no dropout, moving statistics used and not changed.
template <Model M>
Tensor predict(M& model, const Tensor& x) {
  const Evaluate evaluate;
  return detail::run_model(model, {x}).front();
}

/// A line for each call of a layer, found by running the model on a specification: what the layer
/// does with a mask, the shapes and masks that go in and come out. The model must be built.
template <Model M>
std::string mask_flow(M& model, const std::vector<Spec>& specs) {
  Tensors metas;
  for (const auto& spec : specs) metas.push_back(spec.meta());
  const NoGrad no_grad;
  const Trace trace;
  detail::run_model(model, metas);
  return trace.table();
}

}  // namespace maskgrad
