#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/sequence/causal_convolution.hpp>
#include <maskgrad/autograd/ops/sequence/depthwise.hpp>
#include <maskgrad/autograd/ops/sequence/linear_recurrence.hpp>
#include <maskgrad/autograd/ops/sequence/overlap_add.hpp>
#include <maskgrad/autograd/ops/sequence/positions.hpp>
#include <maskgrad/autograd/ops/sequence/recurrent.hpp>
#include <maskgrad/autograd/ops/sequence/segment.hpp>
#include <maskgrad/autograd/ops/sequence/selective_scan.hpp>
#include <maskgrad/autograd/ops/sequence/sequence.hpp>
#include <maskgrad/autograd/ops/sequence/windows.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace in_cases_sequence {

using Inputs = std::vector<Tensor>;
using enum InputKind;
using enum MaskRole;

constexpr MaskContract crosses_steps{.role = MaskRole::supports,
                                     .why = "runs over a sequence's valid steps",
                                     .full_role = MaskRole::unsupported};

void add_recurrent(std::vector<OpCase>& cases, const std::string& variant, kernels::Cell cell,
                   std::int64_t gates, bool reset_after, bool backwards) {
  const bool lstm = cell == kernels::Cell::lstm;
  const Shape bias = reset_after ? Shape{2, gates * 2} : Shape{gates * 2};
  cases.push_back(
      {.op = "recurrent",
       .variant = variant,
       .f =
           [=](const Inputs& x) {
             const RecurrentState initial{x[4], lstm ? x[5] : Tensor()};
             const auto y =
                 recurrent(cell, reset_after, backwards, x[0], {x[1], x[2], x[3]}, initial);
             return lstm ? Inputs{y.output, y.state.h, y.state.c} : Inputs{y.output, y.state.h};
           },
       .inputs = {{{3}},
                  {{3, gates * 2}, shared},
                  {{2, gates * 2}, shared},
                  {bias, shared},
                  {{2}, samples}},
       .contract = crosses_steps,
       .laws = {.carriers = 1}});
  if (lstm) cases.back().inputs.push_back({{2}, samples});
}

void add_linear_recurrence(std::vector<OpCase>& cases, const std::string& variant, Draw factors,
                           bool backwards) {
  cases.push_back(
      {.op = "linear_recurrence",
       .variant = variant,
       .f =
           [=](const Inputs& x) { return linear_recurrence(x[0], x[1], {.backwards = backwards}); },
       .inputs = {{{3}, sequences, factors}, {{3}}},
       .contract = crosses_steps});
  cases.push_back({.op = "linear_recurrence_with_state",
                   .variant = variant,
                   .f =
                       [=](const Inputs& x) {
                         const auto [output, state] = linear_recurrence_with_state(
                             x[0], x[1], {.initial = x[2], .backwards = backwards});
                         return Inputs{output, state};
                       },
                   .inputs = {{{2, 2}, sequences, factors}, {{2, 2}}, {{2, 2}, samples}},
                   .contract = crosses_steps,
                   .laws = {.carriers = 1}});
}

void add_selective_scan(std::vector<OpCase>& cases, bool backwards) {
  cases.push_back({.op = "selective_scan",
                   .variant = backwards ? "backwards" : "",
                   .f =
                       [=](const Inputs& x) {
                         const auto [output, state] =
                             selective_scan(x[0], x[1], x[2], x[3], x[4],
                                            {.initial = x[5], .backwards = backwards});
                         return Inputs{output, state};
                       },
                   .inputs = {{{3}},
                              {{3}, sequences, Draw::positive},
                              {{2, 3}, shared},
                              {{2}},
                              {{2}},
                              {{2, 3}, samples}},
                   .contract = crosses_steps,
                   .laws = {.carriers = 1}});
}

void add_causal_convolution(std::vector<OpCase>& cases, std::int64_t width, bool backwards) {
  cases.push_back({.op = "causal_convolution",
                   .variant = backwards ? "backwards" : std::to_string(width) + " steps",
                   .f =
                       [=](const Inputs& x) {
                         const auto [output, state] = causal_convolution(
                             x[0], x[1], {.initial = x[2], .backwards = backwards});
                         return Inputs{output, state};
                       },
                   .inputs = {{{3}}, {{width, 3}, shared}, {{width - 1, 3}, samples}},
                   .contract = crosses_steps,
                   .laws = {.carriers = 1}});
}

void add_windows(std::vector<OpCase>& cases, const std::string& variant, WindowOptions options,
                 double fill = 0) {
  cases.push_back({.op = "windows",
                   .variant = variant,
                   .f = [=](const Tensor& x) { return windows(x, options, fill); },
                   .inputs = {{{2}}},
                   .contract = crosses_steps});
  cases.push_back({.op = "window_sizes",
                   .variant = variant,
                   .f = [=](const Tensor& x) { return window_sizes(x, options); },
                   .inputs = {{{2}}},
                   .contract = crosses_steps,
                   .gradient = false});
}

void add_overlap_add(std::vector<OpCase>& cases, const std::string& variant,
                     OverlapOptions options) {
  cases.push_back({.op = "overlap_add",
                   .variant = variant,
                   .f = [=](const Tensor& x) { return overlap_add(x, options); },
                   .inputs = {{{3, 2}}},
                   .contract = {.role = MaskRole::unsupported,
                                .why = "windows are added to their neighbors",
                                .sample_role = MaskRole::propagates,
                                .full_role = MaskRole::unsupported}});
}

void add_depthwise(std::vector<OpCase>& cases, std::int64_t multiplier) {
  cases.push_back({.op = "depthwise",
                   .variant = std::to_string(multiplier) + " a feature",
                   .f = [](const Inputs& x) { return depthwise(x[0], x[1]); },
                   .inputs = {{{3, 2}}, {{3, 2, multiplier}, shared}},
                   .contract = {.role = MaskRole::propagates,
                                .why = "windows by kernels",
                                .full_role = MaskRole::unsupported}});
}

void add_sequence(std::vector<OpCase>& cases) {
  constexpr MaskContract along{.role = supports, .why = "works along the valid steps"};
  constexpr MaskContract ends{
      .role = consumes, .why = "takes one valid step of each sequence", .sample_role = propagates};
  auto put = [&](const char* op, const char* variant, const Callable& f, const MaskContract& c,
                 const LawOptions& laws = {}) {
    cases.push_back(
        {.op = op, .variant = variant, .f = f, .inputs = {{{3}}}, .contract = c, .laws = laws});
  };
  put(
      "reverse", "steps", [](const Tensor& x) { return reverse(x); }, along);
  put(
      "reverse", "features", [](const Tensor& x) { return reverse(x, -1); }, along);
  put(
      "shift", "later", [](const Tensor& x) { return shift(x, 1, 0.5); }, along);
  put(
      "shift", "earlier", [](const Tensor& x) { return shift(x, -2); }, along);
  put(
      "shift", "beyond the end", [](const Tensor& x) { return shift(x, 9); }, along);
  put(
      "last_valid", "", [](const Tensor& x) { return last_valid(x); }, ends);
  put(
      "first_valid", "", [](const Tensor& x) { return first_valid(x); }, ends);
  const LawOptions short_alone{.not_alone = "alone, a step too many is an IndexError"};
  put(
      "take_step", "the second", [](const Tensor& x) { return take_step(x, 1); }, ends,
      short_alone);
  put(
      "take_step", "the last but one", [](const Tensor& x) { return take_step(x, -2); }, ends,
      short_alone);
}

void add_positions(std::vector<OpCase>& cases) {
  constexpr MaskContract by_rank{.role = MaskRole::supports,
                                 .why = "counts the valid steps of each sequence",
                                 .full_role = MaskRole::unsupported};
  cases.push_back({.op = "positions",
                   .f = [](const Tensor& x) { return positions(x, 2); },
                   .inputs = {{.shape = {2}}},
                   .contract = by_rank,
                   .gradient = false});
  for (const std::int64_t features : {4, 3}) {
    cases.push_back({.op = "sine_positions",
                     .variant = features == 3 ? "odd" : "",
                     .f =
                         [](const Tensor& x) {
                           return sine_positions(x, {1.0, 0.3}, 1);
                         },
                     .inputs = {{.shape = {features}}},
                     .contract = by_rank,
                     .gradient = false});
  }
  for (const Shape& shape : {Shape{4}, Shape{2, 4}}) {
    cases.push_back({.op = "rotate_by_position",
                     .variant = shape.rank() > 1 ? "heads" : "",
                     .f =
                         [](const Tensor& x) {
                           return rotate_by_position(x, {1.0, 0.3}, 1);
                         },
                     .inputs = {{.shape = shape}},
                     .contract = by_rank});
  }
}

void add_segments(std::vector<OpCase>& cases, const std::string& name,
                  Tensor (*f)(const Tensor&, const Tensor&, std::int64_t), Draw draw) {
  cases.push_back(
      {.op = name,
       .f = [f](const Inputs& x) { return f(x[0], minimum(maximum(x[1], 1), 2) - 1, 2); },
       .inputs = {{.shape = {2}, .draw = draw}, {.shape = {}, .draw = Draw::ids}},
       .contract = {.role = MaskRole::consumes,
                    .why = "reduces the valid steps of each segment",
                    .sample_role = MaskRole::supports,
                    .full_role = MaskRole::unsupported}});
}

}  // namespace in_cases_sequence

std::vector<OpCase> sequence_cases() {
  using namespace in_cases_sequence;
  std::vector<OpCase> cases;
  using kernels::Cell;
  add_recurrent(cases, "simple", Cell::simple_rnn, 1, false, false);
  add_recurrent(cases, "GRU", Cell::gru, 3, false, false);
  add_recurrent(cases, "GRU, reset after, backwards", Cell::gru, 3, true, true);
  add_recurrent(cases, "LSTM", Cell::lstm, 4, false, false);
  add_linear_recurrence(cases, "decays", Draw::unit, false);
  add_linear_recurrence(cases, "any factors, backwards", Draw::normal, true);
  for (const bool backwards : {false, true}) add_selective_scan(cases, backwards);
  add_causal_convolution(cases, 3, false);
  add_causal_convolution(cases, 1, false);
  add_causal_convolution(cases, 4, true);
  add_windows(cases, "same", {.width = 3, .padding = Padding::same});
  add_windows(cases, "causal, dilated", {.width = 2, .padding = Padding::causal, .dilation = 2});
  add_windows(cases, "valid, strided", {.width = 2, .stride = 2});
  add_windows(cases, "valid, of one step", {.width = 1});
  add_windows(cases, "same, strided, filled", {.width = 3, .stride = 2, .padding = Padding::same},
              -1.5);
  add_overlap_add(cases, "valid", {});
  add_overlap_add(cases, "valid, stride above the width", {.stride = 4});
  add_overlap_add(cases, "same, dilated", {.padding = Padding::same, .dilation = 2});
  add_overlap_add(cases, "same, output padding",
                  {.stride = 2, .padding = Padding::same, .output_padding = 1});
  add_depthwise(cases, 1);
  add_depthwise(cases, 3);
  add_sequence(cases);
  add_positions(cases);
  add_segments(cases, "segment_sum", segment_sum, Draw::normal);
  add_segments(cases, "segment_mean", segment_mean, Draw::normal);
  add_segments(cases, "segment_max", segment_max, Draw::distinct);
  add_segments(cases, "segment_min", segment_min, Draw::distinct);
  return cases;
}

}  // namespace maskgrad::tests
