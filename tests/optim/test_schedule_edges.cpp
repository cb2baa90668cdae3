#include <doctest/doctest.h>

#include <cmath>

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::tests::test_schedule_edges {
namespace {

double at(const Schedule& schedule, double epoch) {
  return schedule.factor({epoch, 0});
}

TEST_CASE("stairs go down where they should at fractions that binary does not have") {
  const Schedule stairs = StepDecay{{.every = 0.1, .factor = 0.5}};
  double summed = 0;
  for (int k = 1; k <= 40; ++k) {
    CHECK(at(stairs, k / 10.0) == std::pow(0.5, k));
    CHECK(at(stairs, k * 0.1) == std::pow(0.5, k));
    summed += 0.1;
    CHECK(at(stairs, summed) == std::pow(0.5, k));
    CHECK(at(stairs, (k - 0.001) / 10) == std::pow(0.5, k - 1));
  }
  const Schedule thirds = StepDecay{{.every = 1. / 3, .factor = 0.5}};
  for (int k = 0; k < 30; ++k) CHECK(at(thirds, k / 3.) == std::pow(0.5, k));
  // A step before is a step before, however long it takes.
  const Schedule late = StepDecay{{.every = 1e9, .factor = 0.5, .unit = ScheduleUnit::step}};
  CHECK(late.factor({0, 999'999'999}) == 1);
  CHECK(late.factor({0, 1'000'000'000}) == 0.5);
}

TEST_CASE("schedules begin, turn and end at exact values") {
  for (const double over : {0.1, 0.3, 1., 7., 1e-300, 1e30}) {
    const Schedule cosine = CosineDecay{{.over = over, .alpha = 0.1}};
    const Schedule cycle = OneCycle{{.over = over, .peak_at = 0.3, .div_factor = 30}};
    const Schedule warm = WarmUp{{.over = over, .from = 0.1}};
    CHECK(at(cosine, 0) == 1);
    CHECK(at(cosine, over) == 0.1);
    CHECK(at(cycle, 0) == 1. / 30);
    CHECK(at(cycle, 0.3 * over) == doctest::Approx(1).epsilon(1e-15));
    CHECK(at(cycle, over) == 1. / 30 / 1e4);
    CHECK(at(warm, 0) == 0.1);
    CHECK(at(warm, over) == 1);
    CHECK(at(warm, 2 * over) == 1);
  }
  // Little is left near the end, with all its digits.
  const double near = 1 - 1e-6, exact = std::pow(std::sin(M_PI / 2 * 1e-6), 2);
  CHECK(std::abs(at(CosineDecay{{.over = 1}}, near) / exact - 1) < 1e-9);
  CHECK(at(ExponentialDecay{{.every = 0.1, .factor = 0.5}}, 0.3) ==
        doctest::Approx(0.125).epsilon(1e-14));
}

}  // namespace
}  // namespace maskgrad::tests::test_schedule_edges
