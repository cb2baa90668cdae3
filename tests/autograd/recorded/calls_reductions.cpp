#include <maskgrad/autograd/ops/normalization/normalize.hpp>
#include <maskgrad/autograd/ops/reduce/cumulative.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/autograd/ops/reduce/standardize.hpp>
#include <maskgrad/autograd/ops/shape/sort.hpp>

#include "calls.hpp"

namespace maskgrad::tests {
namespace in_calls_reductions {

using Inputs = std::vector<Tensor>;
using Reduce = Tensor (*)(const Tensor&, const Axes&, bool);

constexpr struct {
  const char* op;
  Reduce f;
} reductions[] = {
    {"sum", sum},
    {"product", product},
    {"mean", mean},
    {"variance", [](const Tensor& x, const Axes& a, bool keep) { return variance(x, a, keep); }},
    {"std_deviation",
     [](const Tensor& x, const Axes& a, bool keep) { return std_deviation(x, a, keep); }},
    {"logsumexp", logsumexp},
    {"max", max},
    {"min", min},
    {"argmax", argmax},
    {"argmin", argmin},
    {"any_true", any_true},
    {"all_true", all_true},
    {"count_valid", count_valid},
};

void add_reductions(std::vector<RecordedCall>& calls) {
  for (const auto& [op, f] : reductions) {
    const auto put = [&, op = op, f = f](const char* variant, const Axes& axes,
                                         bool keepdims = false) {
      calls.push_back({op, variant, [=](const Tensor& x) { return f(x, axes, keepdims); }});
    };
    put("all", {});
    put("axis 0", 0);
    put("axis 1", 1);
    put("axis 1, keepdims", 1, true);
    put("axis -1", -1);
    const bool of_positions = f == argmax || f == argmin;  // NumPy's take one axis, or all
    if (!of_positions) put("axes 0, 2", {0, 2});
  }
  for (const bool keepdims : {false, true}) {
    calls.push_back({"variance", keepdims ? "ddof 1, axis 1, keepdims" : "ddof 1, axis 1",
                     [=](const Tensor& x) { return variance(x, 1, keepdims, 1); }});
  }
}

void add_along(std::vector<RecordedCall>& calls) {
  constexpr struct {
    const char* op;
    Tensor (*f)(const Tensor&, int);
  } functions[] = {
      {"cumsum", cumsum}, {"cumprod", cumprod}, {"softmax", softmax}, {"log_softmax", log_softmax}};
  for (const auto& [op, f] : functions) {
    for (const int axis : {-1, 0, 1}) {
      calls.push_back({op, "axis " + std::to_string(axis),
                       [f = f, axis](const Tensor& x) { return f(x, axis); }});
    }
  }
}

const RecordedCall others[] = {
    {"sort", "", [](const Tensor& x) { return sort(x); }},
    {"sort", "falling", [](const Tensor& x) { return sort(x, true); }},
    {"argsort", "", [](const Tensor& x) { return argsort(x); }},
    {"argsort", "falling", [](const Tensor& x) { return argsort(x, true); }},
    {"top_k", "2",
     [](const Tensor& x) {
       const auto [values, indices] = top_k(x, 2);
       return Inputs{values, indices};
     }},
    {"layer_normalize", "",
     [](const Inputs& x) {
       return layer_normalize(x[0], 1e-3, {x[1], x[2]});
     }},
    {"layer_normalize", "not centered",
     [](const Tensor& x) { return layer_normalize(x, 1e-3, {}, false); }},
    {"unit_normalize", "at least 2", [](const Tensor& x) { return unit_normalize(x, 2); }},
    {"group_normalize", "2",
     [](const Inputs& x) {
       return group_normalize(x[0], 2, 1e-3, {x[1], x[2]});
     }},
    {"batch_normalize", "",
     [](const Inputs& x) {
       const auto [y, mean, variance, count] = batch_normalize(x[0], 1e-3, {x[1], x[2]});
       return Inputs{y, mean, variance};
     }},
    {"standardize", "", [](const Tensor& x) { return standardize(x); }},
    {"standardize", "axis 1", [](const Tensor& x) { return standardize(x, 1, 0.01); }},
};

}  // namespace in_calls_reductions

std::vector<RecordedCall> reduction_calls() {
  using namespace in_calls_reductions;
  std::vector<RecordedCall> calls(std::begin(others), std::end(others));
  add_reductions(calls);
  add_along(calls);
  return calls;
}

}  // namespace maskgrad::tests
