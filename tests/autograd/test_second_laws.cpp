#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <regex>

#include <maskgrad/autograd/gradients.hpp>
#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>

#include "case_checks.hpp"

// Laws 1, 2, 5 and 7 for second derivatives: the gradient of each operation, as a function of its
// inputs, is held to them forward and backward.

namespace maskgrad::tests::test_second_laws {

/// The gradients of the sum of y + y^2 / 2 by the inputs that are sequences.
Callable gradient_of(const OpCase& c) {
  return [&c](const std::vector<Tensor>& given) {
    std::vector<Tensor> inputs = given, of;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (c.inputs[i].kind != InputKind::sequences || !is_real(inputs[i].dtype())) continue;
      if (!inputs[i].on_tape()) inputs[i] = inputs[i].with_grad();
      of.push_back(inputs[i]);
    }
    Tensor total;
    for (const auto& y : c.f(inputs)) {
      if (!is_real(y.dtype()) || !y.on_tape()) continue;
      const Tensor part = sum(y + 0.5 * square(y));
      total = total.defined() ? total + part : part;
    }
    std::vector<Tensor> made;
    if (total.defined()) {
      made = gradients(total, of, {.create_graph = recording(), .allow_unused = true});
    }
    std::vector<Tensor> all;
    for (std::size_t i = 0; i < of.size(); ++i) {
      const bool there = i < made.size() && made[i].defined();
      all.push_back(there ? made[i] : zeros_like(of[i]));
    }
    return all;
  };
}

/// What is not finite goes by other operations than the kernels, so where a law of bits finds other
/// bits, the numbers are to be the same to rounding.
bool equal_to_rounding(const std::string& what) {
  static const std::regex numbers(R"(is (\S+) with .* there; expected (\S+)$)");
  std::smatch found;
  if (!std::regex_search(what, found, numbers)) return false;
  const double seen = std::strtod(found[1].str().c_str(), nullptr);
  const double expected = std::strtod(found[2].str().c_str(), nullptr);
  return std::abs(seen - expected) <= 1e-9 * std::max(1.0, std::abs(expected));  // as printed
}

/// Its results carry the masks of the inputs that they are gradients of.
MaskRole of_gradient(MaskRole role) {
  return role == MaskRole::unsupported ? role : MaskRole::supports;
}

TEST_SUITE("second_derivatives") {
  TEST_CASE("padding, batch-mates and splits reach no second derivative of an operation") {
    for (const auto& c : op_cases()) {
      const bool sequences = std::any_of(c.inputs.begin(), c.inputs.end(), [](const auto& input) {
        return input.kind == InputKind::sequences && input.draw != Draw::ids &&
               input.draw != Draw::truth;
      });
      if (!c.gradient || !sequences) continue;
      LawOptions options = c.laws;
      options.batch_axis = 0;
      options.carriers = std::numeric_limits<std::size_t>::max();
      options.without_data = "gradients are of values";
      options.variables = {};
      const MaskContract contract{.role = of_gradient(c.contract.role),
                                  .why = "a gradient",
                                  .sample_role = of_gradient(c.contract.under_sample()),
                                  .full_role = of_gradient(c.contract.under_full())};
      const auto report = check_mask_laws(gradient_of(c), law_inputs(c), contract, options);
      std::string wrong;
      for (const auto& failure : report.failures) {
        if (failure.law == 3 || failure.law == 4) continue;  // of masks: the operation's own
        if (failure.law == 1 && equal_to_rounding(failure.what)) continue;
        wrong += fmt::format("\n  law {} under {}: {}", failure.law, failure.pattern, failure.what);
      }
      CHECK_MESSAGE(wrong.empty(), c.title(), wrong.substr(0, 600));
    }
  }
}

}  // namespace maskgrad::tests::test_second_laws
