#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_schedules {
namespace {

double at_epoch(const Schedule& schedule, double epoch) {
  return schedule.factor({epoch, 0});
}
double at_step(const Schedule& schedule, std::int64_t step) {
  return schedule.factor({0, step});
}

TEST_CASE("schedules follow their formulas, in epochs and in steps") {
  const Schedule stairs = StepDecay{{.every = 10, .factor = 0.5}};
  CHECK(at_epoch(stairs, 9.99) == 1);
  CHECK(at_epoch(stairs, 10) == 0.5);
  CHECK(at_epoch(stairs, 35) == 0.125);
  const Schedule slope = ExponentialDecay{{.every = 2, .factor = 0.5, .unit = ScheduleUnit::step}};
  CHECK(at_step(slope, 3) == doctest::Approx(std::pow(0.5, 1.5)));
  const Schedule cosine = CosineDecay{{.over = 8, .alpha = 0.2}};
  CHECK(at_epoch(cosine, 0) == doctest::Approx(1));
  CHECK(at_epoch(cosine, 2) ==
        doctest::Approx(0.2 + 0.8 * (1 + std::cos(std::numbers::pi / 4)) / 2));
  CHECK(at_epoch(cosine, 8) == doctest::Approx(0.2));
  CHECK(at_epoch(cosine, 80) == doctest::Approx(0.2));
  const Schedule warm =
      WarmUp{{.over = 4, .from = 0.2, .then = StepDecay{{.every = 10, .factor = 0.1}}}};
  CHECK(at_epoch(warm, 0) == doctest::Approx(0.2));
  CHECK(at_epoch(warm, 2) == doctest::Approx(0.6));
  CHECK(at_epoch(warm, 9) == doctest::Approx(1));
  CHECK(at_epoch(warm, 10) == doctest::Approx(0.1));
  CHECK(Schedule().factor({3, 3}) == 1);
}

TEST_CASE("one cycle is PyTorch's: up to the rate at 30 %, down to almost nothing") {
  const Schedule cycle = OneCycle{{.over = 100, .unit = ScheduleUnit::step}};
  CHECK(at_step(cycle, 0) == doctest::Approx(1 / 25.0));
  CHECK(at_step(cycle, 15) == doctest::Approx((1 + 1 / 25.0) / 2));
  CHECK(at_step(cycle, 30) == doctest::Approx(1));
  CHECK(at_step(cycle, 65) == doctest::Approx((1 + 1 / 25e4) / 2));
  CHECK(at_step(cycle, 100) == doctest::Approx(1 / 25e4));
}

Logs with(double value) {
  Logs logs;
  logs.set("val_loss", value);
  logs.set("val_accuracy", value);
  return logs;
}

TEST_CASE("a plateau lowers the rate after patience epochs that are not better") {
  Plateau plateau{{.factor = 0.5, .patience = 2, .cooldown = 1, .min_factor = 0.2}};
  std::vector<double> factors;
  for (const double loss : {3., 2., 2., 2., 2., 2., 1., 1., 1., 1., 1., 1., 1.}) {
    plateau.end_epoch(with(loss));
    factors.push_back(plateau.factor({}));
  }
  CHECK(factors == std::vector<double>{1, 1, 1, .5, .5, .25, .25, .25, .2, .2, .2, .2, .2});
}

TEST_CASE("a plateau goes on from its state, and knows which way a score gets better") {
  const PlateauOptions options{.monitor = "val_accuracy", .patience = 1};
  Plateau whole{options}, first{options};
  for (const double value : {0.1, 0.2}) {
    whole.end_epoch(with(value));
    first.end_epoch(with(value));
  }
  CHECK(whole.factor({}) == 1);
  Plateau second{options};
  second.set_state(first.state());
  for (auto* p : {&whole, &second}) {
    p->end_epoch(with(0.15));
    CHECK(p->factor({}) == doctest::Approx(0.1));
  }
  CHECK(throws<OptionError>([&] { second.set_state({1}); }, "a state of 1 numbers"));
  CHECK(throws<OptionError>([&] { second.end_epoch(Logs()); },
                            "the epoch has no value 'val_accuracy'", "needs validation"));
}

TEST_CASE("every schedule comes back from its JSON; none is null") {
  for (const auto name : schedule_names()) {
    CAPTURE(name);
    const bool decay = name == "StepDecay" || name == "ExponentialDecay";
    const auto made = make_schedule(name, name == "Plateau" ? "{}"
                                          : decay           ? R"({"every": 2, "factor": 0.5})"
                                                            : R"({"over": 7})");
    const auto json = describe(made);
    CHECK(describe(schedule_from(json)) == json);
    CHECK(at_epoch(schedule_from(json), 5) == at_epoch(made, 5));
  }
  const Schedule nested = WarmUp{{.over = 2, .then = CosineDecay{{.over = 9}}}};
  CHECK(describe(schedule_from(describe(nested))) == describe(nested));
  CHECK(at_epoch(schedule_from(describe(nested)), 5) == at_epoch(nested, 5));
  CHECK(describe(Schedule()) == "null");
  CHECK(!schedule_from("null"));
}

TEST_CASE("what schedules refuse") {
  CHECK(throws<OptionError>([] { make_schedule("CosineDecy"); },
                            "there is no schedule 'CosineDecy'", "did you mean 'CosineDecay'"));
  CHECK(throws<OptionError>([] { make_schedule("CosineDecay"); }, "the option .over is missing"));
  CHECK(throws<OptionError>([] { make_schedule("OneCycle", R"({"unit": "epochs"})"); },
                            "there is no unit 'epochs'", "did you mean 'epoch'"));
  CHECK(throws<OptionError>([] { CosineDecay{{.over = 0}}; },
                            "CosineDecay: the option .over is 0; expected a number above 0"));
  CHECK(throws<OptionError>([] { Plateau{{.factor = 1}}; }, "Plateau: the option .factor is 1"));
  CHECK(throws<OptionError>([] { Plateau{{.mode = Better::lower, .min_delta = -1}}; },
                            ".min_delta is -1"));
}

}  // namespace
}  // namespace maskgrad::tests::test_schedules
