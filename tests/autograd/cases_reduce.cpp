#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/reduce/cumulative.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/autograd/ops/reduce/standardize.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace in_cases_reduce {

using enum InputKind;
using enum MaskRole;
using Reduce = Tensor (*)(const Tensor&, const Axes&, bool);

constexpr std::string_view over_batch = "the result is over the batch";
constexpr std::string_view positions = "the result names positions, not valid steps";
constexpr std::string_view statistics = "statistics over the batch";

/// What a reduction does with a mask, by the axes it crosses.
constexpr MaskContract over_features{
    .role = propagates, .why = "runs within a row", .full_role = consumes};
constexpr MaskContract over_time{
    .role = consumes, .why = "takes valid steps together", .sample_role = propagates};
constexpr MaskContract over_all{.role = consumes, .why = "takes all valid rows together"};

struct Row {
  const char* op;
  Reduce f;
  bool needs_values;  ///< of nothing there is no result
  Draw how = Draw::normal;
  bool gradient = true;
  bool positions = false;
};

void add_reduction(std::vector<OpCase>& cases, const Row& row) {
  const auto put = [&](const char* variant, const Axes& axes, bool keepdims,
                       const MaskContract& contract, const Shape& shape) {
    cases.push_back({.op = row.op,
                     .variant = variant,
                     .f = [=, f = row.f](const Tensor& x) { return f(x, axes, keepdims); },
                     .inputs = {{shape, sequences, row.how}},
                     .contract = contract,
                     .laws = {.not_alone = row.positions ? positions : ""},
                     .gradient = row.gradient});
  };
  put("features", -1, false, over_features, {3});
  put("time", 1, false, over_time, {3});
  put("time, size kept", 1, true, over_time, {3});
  put("time and features", {1, 2}, false, over_time, {3});
  put("first of two inner axes", 2, false, over_features, {2, 3});
  put("time and the last of two inner axes", {1, 3}, false, over_time, {2, 3});
  if (!row.needs_values) {
    put("batch", 0, false, over_all, {3});
  } else {
    put("all", {}, false, over_all, {3});
    // Without a mask and without sequences there is no value either.
    cases.back().f = [f = row.f](const Tensor& x) {
      const Tensor y = f(x, {}, false);
      return or_else(y, scalar(0, y.dtype()));
    };
  }
  auto& laws = cases.back().laws;
  laws.batch_axis = -1;
  laws.not_alone = laws.not_split = over_batch;
}

Tensor sample_variance(const Tensor& x, const Axes& axes, bool keepdims) {
  return variance(x, axes, keepdims, 1);
}
Tensor plain_variance(const Tensor& x, const Axes& axes, bool keepdims) {
  return variance(x, axes, keepdims);
}
Tensor plain_deviation(const Tensor& x, const Axes& axes, bool keepdims) {
  return std_deviation(x, axes, keepdims);
}

using Along = Tensor (*)(const Tensor&, int);

void add_along(std::vector<OpCase>& cases, const char* op, Along f) {
  const auto put = [&](const char* variant, int axis, const Shape& shape, MaskContract contract) {
    cases.push_back({.op = op,
                     .variant = variant,
                     .f = [f, axis](const Tensor& x) { return f(x, axis); },
                     .inputs = {{shape}},
                     .contract = contract});
  };
  put("features", -1, {3}, {.role = propagates, .why = "within a row", .full_role = supports});
  put("first of two inner axes", 2, {3, 2},
      {.role = propagates, .why = "within a row", .full_role = unsupported});
  put("time", 1, {3},
      {.role = supports,
       .why = "along a sequence's valid steps",
       .sample_role = propagates,
       .full_role = unsupported});
  put("time, one value a step", -1, {},
      {.role = supports, .why = "along a sequence's valid steps", .sample_role = propagates});
}

void add_standardize(std::vector<OpCase>& cases) {
  constexpr MaskContract contract{.role = supports, .why = "statistics of valid rows"};
  cases.push_back({.op = "standardize",
                   .f = [](const Tensor& x) { return standardize(x); },
                   .inputs = {{{3}}},
                   .contract = contract,
                   .laws = {.not_alone = statistics, .not_split = statistics}});
  cases.push_back({.op = "standardize",
                   .variant = "each sequence",
                   .f = [](const Tensor& x) { return standardize(x, 1, 0.01); },
                   .inputs = {{{3}}},
                   .contract = contract});
}

}  // namespace in_cases_reduce

std::vector<OpCase> reduce_cases() {
  using namespace in_cases_reduce;
  std::vector<OpCase> cases;
  constexpr Row reductions[] = {
      {"sum", sum, false},
      {"product", product, false},
      {"mean", mean, true},
      {"variance", plain_variance, true},
      {"std_deviation", plain_deviation, true},
      {"logsumexp", logsumexp, true},
      {"norm", norm, false},
      {"max", max, true, Draw::distinct},
      {"min", min, true, Draw::distinct},
      {"argmax", argmax, true, Draw::normal, false, true},
      {"argmin", argmin, true, Draw::normal, false, true},
      {"any_true", any_true, false, Draw::truth, false},
      {"all_true", all_true, false, Draw::truth, false},
      {"count_valid", count_valid, false, Draw::normal, false},
  };
  for (const auto& row : reductions) add_reduction(cases, row);
  cases.push_back({.op = "variance",
                   .variant = "time, ddof 1",
                   .f = [](const Tensor& x) { return sample_variance(x, 1, false); },
                   .inputs = {{{3}}},
                   .contract = over_time});
  add_along(cases, "softmax", softmax);
  add_along(cases, "log_softmax", log_softmax);
  add_along(cases, "cumsum", cumsum);
  add_along(cases, "cumprod", cumprod);
  add_standardize(cases);
  return cases;
}

}  // namespace maskgrad::tests
