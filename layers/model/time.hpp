#pragma once

#include <cstdint>

#include <maskgrad/layers/layer/time_contract.hpp>
#include <maskgrad/layers/model/model_concept.hpp>
#include <maskgrad/layers/model/walks.hpp>

namespace maskgrad {
namespace detail {

/// Where its last `contexts` inputs are a stream's context.
template <Model M>
TimeContract time_of_model(const M& model, std::int64_t contexts) {
  if constexpr (std::same_as<M, AnyLayer>) {
    return model.time_over(contexts);
  } else if constexpr (Layer<M>) {
    return time_over(model, contexts);
  } else if constexpr (ReadsContext<M>) {
    return model.time_over_context(contexts).value_or(context_unread);
  } else {
    return declared_time(model, MaskContract{.role = MaskRole::supports, .why = {}});
  }
}

}  // namespace detail

/// What a layer or model does with steps that are not there yet, under its options: a container
/// answers for the layers in it. A class that is a model but no layer declares it as layers do.
/// Example:  mg::time_contract(mg::GRU{{.units = 8}}).str();
template <Model M>
TimeContract time_contract(const M& model) {
  return detail::time_of_model(model, 0);
}

/// How many input steps later than its own an output step is final; `endless` where the model needs
/// the whole sequence.
/// Example:  mg::latency(mg::MaskedConv1D{{.filters = 8, .kernel_size = 3, .padding = "same"}});
template <Model M>
std::int64_t latency(const M& model) {
  return time_contract(model).look_ahead;
}

namespace detail {

/// OptionError, with the layer, the reason and the ways out, for a model that cannot stream in the
/// mode of this thread.
void check_streams(const std::vector<LayerView>& layers, const TimeContract& time,
                   bool context = false);
template <class M>
void check_streams(const M& model, const TimeContract& time, bool context = false) {
  std::vector<LayerView> layers;
  visit_model(model, [&](LayerView view) { layers.push_back(std::move(view)); });
  check_streams(layers, time, context);
}

}  // namespace detail
}  // namespace maskgrad
