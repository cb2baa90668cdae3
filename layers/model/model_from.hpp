#pragma once

#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/layers/model/sequential.hpp>

namespace maskgrad {

namespace detail {
[[noreturn]] void refuse_model(std::string_view kind, std::string_view expected);
}  // namespace detail

/// The model that `describe` described, not built: a Sequential, or as `model_from<Functional>`.
/// Throws:   as make_layer; OptionError where it is another one.
/// Example:  mg::Sequential unbuilt = mg::model_from(mg::describe(model));
template <Layer M = Sequential>
M model_from(std::string_view json) {
  AnyLayer model = detail::layer_from("model_from", json);
  if (auto* wanted = model.as_if<M>()) return *wanted;
  detail::refuse_model(model.kind(), M::kind);
}

}  // namespace maskgrad
