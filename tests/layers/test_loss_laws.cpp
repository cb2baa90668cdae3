#include <doctest/doctest.h>

#include <algorithm>

#include <maskgrad/autograd/laws/run.hpp>
#include <maskgrad/layers/losses/loss_factory.hpp>

#include "autograd/case_checks.hpp"
#include "layers/loss_cases.hpp"

namespace maskgrad::tests::test_loss_laws {
namespace {

using Numbers = std::vector<double>;

/// The sum and the count of a loss, added over parts of the batch.
Numbers added(const laws::Subject& subject, const laws::Pattern& pattern,
              const std::vector<laws::Batch>& parts, bool masked) {
  Numbers total(2);
  for (const auto& part : parts) {
    const auto out = subject.run(pattern, part, masked);
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += out.results.at(i).item();
  }
  return total;
}

/// Of each sequence alone and unpadded, and of the first n and the others.
void check_parts(const OpCase& c, laws::MaskOver over) {
  const auto data = law_inputs(c);
  const laws::Subject subject(c.f, data, c.laws);
  for (const auto& pattern : subject.patterns(over)) {
    if (pattern.batch.positions.size() != case_batch * case_time) continue;
    const auto title = c.title() + ", " + std::string(laws::name(over)) + " " + pattern.name;
    CAPTURE(title);
    const Numbers whole = added(subject, pattern, {pattern.batch}, true);
    const auto same = [&](const Numbers& parts) {
      CHECK(parts[0] == doctest::Approx(whole[0]).epsilon(1e-10));
      CHECK(parts[1] == doctest::Approx(whole[1]).epsilon(1e-10));
    };
    std::vector<laws::Batch> alone;
    for (std::int64_t s = 0; s < case_batch; ++s) alone.push_back(subject.alone(pattern, s));
    same(added(subject, pattern, alone, false));
    same(added(subject, pattern, {subject.cut({0}), subject.cut({1, 2, 3})}, true));
    same(added(subject, pattern, {subject.cut({0, 1, 2, 3}), subject.cut({})}, true));
  }
}

}  // namespace

TEST_SUITE("laws") {
  TEST_CASE("every loss keeps the laws in f64") {
    for (const auto& c : loss_cases()) check_laws(c, DType::f64);
  }
  TEST_CASE("no padding reaches a bit of any loss in f32") {
    for (const auto& c : loss_cases()) check_laws(c, DType::f32);
  }
  TEST_CASE("the sums and counts of every loss add up, over any parts") {
    for (const auto& c : loss_cases()) {
      if (c.laws.batch_axis >= 0) continue;  // none: positions
      check_parts(c, laws::MaskOver::steps);
      check_parts(c, laws::MaskOver::samples);
    }
  }
}

TEST_SUITE("loss_gradients") {
  TEST_CASE("every loss's gradients equal differences, with and without masks") {
    for (const auto& c : loss_cases()) check_gradients(c);
  }
}

TEST_SUITE("second_derivatives") {
  TEST_CASE("every loss's second derivatives equal differences, with and without masks") {
    for (const auto& c : loss_cases()) check_gradients(c, 2);
  }
}

TEST_SUITE("coverage") {
  TEST_CASE("every loss of the library has a case") {
    const auto cases = loss_cases(), weighted = weighted_loss_cases();
    for (const auto name : loss_names()) {
      const bool there =
          std::any_of(cases.begin(), cases.end(), [&](const OpCase& c) { return c.op == name; });
      CHECK_MESSAGE(there, name, " has no row in tests/layers/loss_cases.cpp");
      const bool with_weights = std::any_of(weighted.begin(), weighted.end(),
                                            [&](const OpCase& c) { return c.op == name; });
      CHECK_MESSAGE(with_weights, name, " has no row in tests/layers/weighted_loss_cases.cpp");
    }
  }
}

}  // namespace maskgrad::tests::test_loss_laws
