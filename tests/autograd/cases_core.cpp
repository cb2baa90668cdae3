#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/autograd/ops/cross_entropy.hpp>
#include <maskgrad/autograd/ops/depthwise.hpp>
#include <maskgrad/autograd/ops/dropout.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/ops/matmul.hpp>
#include <maskgrad/autograd/ops/overlap_add.hpp>
#include <maskgrad/autograd/ops/recurrent.hpp>
#include <maskgrad/autograd/ops/steps.hpp>
#include <maskgrad/autograd/ops/unary.hpp>
#include <maskgrad/autograd/ops/windows.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace {

using Inputs = std::vector<Tensor>;
using enum InputKind;

constexpr MaskContract inside_a_row{.role = MaskRole::propagates, .why = "works value by value"};
constexpr std::string_view keyed = "noise is keyed by the sequence's index";

/// Steps with a value above 0.
Mask some_positive(const Tensor& x) {
  const Tensor data = drop_mask(stop_gradient(x), "a mask is made of it");
  return Mask::where_any_differs(maximum(data, 0), 0);
}

void add_dropout(std::vector<OpCase>& cases, double rate, bool whole_steps) {
  cases.push_back({.op = "dropout",
                   .variant = whole_steps ? "whole steps" : "rate " + std::to_string(rate),
                   .f = [=](const Tensor& x) { return dropout(x, rate, {3}, whole_steps); },
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .laws = {.not_alone = keyed, .not_split = keyed}});
}

void add_noise(std::vector<OpCase>& cases, const char* op, Tensor (*f)(const Tensor&)) {
  cases.push_back({.op = op,
                   .f = f,
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .laws = {.not_alone = keyed, .not_split = keyed}});
}

void add_noises(std::vector<OpCase>& cases) {
  add_noise(cases, "alpha_dropout", [](const Tensor& x) { return alpha_dropout(x, 0.4, {3}); });
  add_noise(cases, "gaussian_dropout",
            [](const Tensor& x) { return gaussian_dropout(x, 0.4, {3}); });
  add_noise(cases, "gaussian_noise", [](const Tensor& x) { return gaussian_noise(x, 0.4, {3}); });
}

void add_steps(std::vector<OpCase>& cases) {
  constexpr std::string_view merged = "the steps of all sequences are one axis";
  cases.push_back({.op = "steps_as_samples",
                   .f = [](const Tensor& x) { return steps_as_samples(x); },
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .laws = {.batch_axis = -1, .not_alone = merged, .not_split = merged}});
  cases.push_back({.op = "samples_as_steps",
                   .f =
                       [](const Tensor& x) {
                         const Tensor samples = steps_as_samples(x);
                         return samples_as_steps(square(samples), samples, x);
                       },
                   .inputs = {{{3}}},
                   .contract = inside_a_row});
}

void add_masks(std::vector<OpCase>& cases) {
  cases.push_back({.op = "with_mask",
                   .variant = "a mask made of the values",
                   .f = [](const Tensor& x) { return with_mask(x, some_positive(x)); },
                   .inputs = {{{2}}},
                   .contract = {.role = MaskRole::produces, .why = "puts a mask on"}});
  cases.push_back({.op = "drop_mask",
                   .f = [](const Tensor& x) { return drop_mask(x, "a test of the fill", 7); },
                   .inputs = {{{3}}},
                   .contract = {.role = MaskRole::consumes, .why = "fills what the mask hid"},
                   .laws = {.not_alone = "the result holds the fill"}});
  cases.push_back({.op = "stop_gradient",
                   .f = [](const Tensor& x) { return stop_gradient(x); },
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .gradient = false});
}

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
                                .why = "windows are added to their neighbours",
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

}  // namespace

std::vector<OpCase> core_cases() {
  using kernels::Cell;
  std::vector<OpCase> cases;
  add_recurrent(cases, "simple", Cell::simple_rnn, 1, false, false);
  add_recurrent(cases, "GRU", Cell::gru, 3, false, false);
  add_recurrent(cases, "GRU, reset after, backwards", Cell::gru, 3, true, true);
  add_recurrent(cases, "LSTM", Cell::lstm, 4, false, false);
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
  cases.push_back({.op = "sparse_cross_entropy",
                   .f = [](const Inputs& x) { return sparse_cross_entropy(x[0], x[1]); },
                   .inputs = {{{}, sequences, Draw::ids}, {{5}}},
                   .contract = {.role = MaskRole::propagates,
                                .why = "one loss for each row",
                                .full_role = MaskRole::unsupported}});
  add_masks(cases);
  add_dropout(cases, 0, false);
  add_dropout(cases, 0.4, false);
  add_dropout(cases, 0.4, true);
  add_noises(cases);
  add_steps(cases);
  cases.push_back({.op = "matmul",
                   .f = [](const Inputs& x) { return matmul(x[0], x[1]); },
                   .inputs = {{{3}}, {{3, 2}, shared}},
                   .contract = {.role = MaskRole::propagates,
                                .why = "rows by a matrix",
                                .full_role = MaskRole::unsupported}});
  cases.push_back({.op = "matmul",
                   .variant = "with a bias",
                   .f = [](const Inputs& x) { return matmul(x[0], x[1], x[2]); },
                   .inputs = {{{3}}, {{3, 2}, shared}, {{2}, shared}},
                   .contract = {.role = MaskRole::propagates,
                                .why = "rows by a matrix",
                                .full_role = MaskRole::unsupported}});
  cases.push_back({.op = "cast",
                   .variant = "to f32",
                   .f = [](const Tensor& x) { return cast(x, DType::f32); },
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .gradient = false});  // f32 is too coarse for differences
  cases.push_back({.op = "cast",
                   .variant = "of ids to f64",
                   .f = [](const Tensor& x) { return cast(x, DType::f64); },
                   .inputs = {{{3}, sequences, Draw::ids}},
                   .contract = inside_a_row,
                   .gradient = false});
  cases.push_back({.op = "cast",
                   .variant = "to i64",
                   .f = [](const Tensor& x) { return cast(x, DType::i64); },
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .gradient = false});
  return cases;
}

}  // namespace maskgrad::tests
