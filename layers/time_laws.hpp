#pragma once

#include <functional>
#include <utility>

#include <maskgrad/layers/model/stream.hpp>
#include <maskgrad/layers/testing.hpp>

namespace maskgrad {

/// What a layer or model was seen to read: how far before and behind an output step's own input
/// step something changes it, by its values, or by being there at all.
struct MeasuredTime {
  std::int64_t back = 0, ahead = 0;              ///< whose values count
  std::int64_t back_there = 0, ahead_there = 0;  ///< whose being there counts
  std::int64_t steps = 0;                        ///< of the sequence that it was seen on
};

namespace detail {

/// How a model is run, whatever its type.
struct TimeRunner {
  std::function<Tensors(const Tensors&)> whole;
  std::function<Stream(std::int64_t sequences)> stream;
  std::vector<Tensor> parameters;
  /// What a container declares is the most that its layers together may read.
  bool at_most = false;
};
/// `inputs`: [sequences, time, ...] without masks, of 12 steps or more.
MeasuredTime measured_time(const TimeRunner& run, const TimeContract& declared,
                           const Tensors& inputs);
LawReport check_time_laws(const TimeRunner& run, const TimeContract& declared,
                          const Tensors& inputs);
/// Values for specifications: free sizes become 3 sequences, 12 steps, 3 else.
Tensors time_inputs(const std::vector<Spec>& specs);

template <Model M>
TimeRunner time_runner(M& model) {
  TimeRunner run{[&model](const Tensors& xs) { return run_model(model, xs); },
                 [&model](std::int64_t n) { return Stream(model, {.sequences = n}); },
                 {},
                 false};
  for (const auto& p : parameters(model)) {
    if (p.trainable()) run.parameters.push_back(p);
  }
  bool first = true;
  visit_model(model, [&](const LayerView& view) {
    if (std::exchange(first, false))
      run.at_most = !view.is_layer() || view.actions->answers_for_others;
  });
  return run;
}

}  // namespace detail

/// Law 8, in pieces or whole, over a built layer or model, in f64 or f32: that no output step reads an input
/// step beyond what the time contract declares, and that a layer declares no more than that; and
/// where it streams, that for many cuttings of each sequence, empty pieces too, a stream gives the
/// outputs and gradients of the whole. The specifications have free batch and time.
/// Example:  mg::GRU gru{{.units = 2, .return_sequences = true}};
///           const auto spec = mg::Spec::f64({mg::any, mg::any, 3});
///           mg::build(gru, spec);
///           const auto report = mg::check_time_laws(gru, {spec});
///           if (!report) fmt::print("{}\n", report.str());
template <Model M>
LawReport check_time_laws(M& model, const std::vector<Spec>& specs) {
  return detail::check_time_laws(detail::time_runner(model), time_contract(model),
                                 detail::time_inputs(specs));
}
/// What check_time_laws holds against the contract.
/// Example:  const auto three = mg::Spec::f64({mg::any, mg::any, 3});
///           mg::MaskedConv1D blur{{.filters = 2, .kernel_size = 3}};
///           mg::build(blur, three.masked(2));
///           mg::measured_time(blur, {three}).ahead;  // 2
template <Model M>
MeasuredTime measured_time(M& model, const std::vector<Spec>& specs) {
  return detail::measured_time(detail::time_runner(model), time_contract(model),
                               detail::time_inputs(specs));
}

}  // namespace maskgrad
