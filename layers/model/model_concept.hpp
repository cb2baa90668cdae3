#pragma once

#include <maskgrad/layers/layer/any_layer.hpp>
#include <maskgrad/layers/layer/visit.hpp>

namespace maskgrad {

namespace detail {
template <class M>
concept ListsLayers = requires(M& m) {
  M::each_layer(m, [](auto&&, auto&) {});
};
/// Takes one tensor, or several.
template <class M>
concept TakesTensors = requires(M& m, const Tensor& x) {
  m(x);
}
|| requires(M& m, const Tensors& xs) {
  m(xs);
};
}  // namespace detail

/// A model: a layer, a container, or a class of the user's own that is called with a tensor, or
/// with Tensors, and lists its layers: `each_layer(self, f)` calls `f("name", self.layer)` for
/// each.
template <class M>
concept Model = Layer<M> || std::same_as<M, AnyLayer> ||
    (detail::ListsLayers<M>&& detail::TakesTensors<M>);

namespace detail {

/// Whether M is a model; where it is none, one compile error says what it lacks.
template <class M>
constexpr bool require_model() {
  if constexpr (!Model<M>) {
    if constexpr (LayerLike<M> && !ListsLayers<M>) {
      require_layer<M>();
    } else {
      static_assert(ListsLayers<M>,
                    "This class is no model, as it does not list its layers. Give it: template "
                    "<class Self, class F> static void each_layer(Self& self, F&& f) { f(\"gru\", "
                    "self.gru); }");
      static_assert(!ListsLayers<M> || TakesTensors<M>,
                    "This class is no model, as it is not called with tensors. Give it: "
                    "maskgrad::Tensor operator()(const maskgrad::Tensor& x), or with a const "
                    "maskgrad::Tensors&");
    }
  }
  return Model<M>;
}

template <class M>
Tensors run_model(M& model, const Tensors& inputs) {
  if constexpr (Layer<M>) {
    return call(model, inputs);
  } else if constexpr (std::same_as<M, AnyLayer>) {
    return model.call(inputs);
  } else if constexpr (requires { model(inputs); }) {
    return as_tensors(model(inputs));
  } else {
    if (inputs.size() != 1) refuse_inputs(inputs.size());
    return as_tensors(model(inputs[0]));
  }
}

/// Its place in the model it is in; null for a class that is no layer.
template <class M>
LayerInfo* info_of(M& model) {
  if constexpr (Layer<M>) {
    return &model.info;
  } else if constexpr (std::same_as<M, AnyLayer>) {
    return &model.info();
  } else {
    return nullptr;
  }
}

}  // namespace detail
}  // namespace maskgrad
