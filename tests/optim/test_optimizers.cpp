#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/core/memory.hpp>
#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_optimizers {
namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

Parameter parameter(DType dtype = DType::f64) {
  return Parameter(full({3}, 1, dtype), "weights");
}

Tensor gradient(DType dtype, double scale = 1) {
  return cast(tensor({0.5 * scale, -2 * scale, 0.}, {3}), dtype);
}

std::vector<double> values(const Parameter& p) {
  return cast(p.value(), DType::f64).to_vector<double>();
}

TEST_CASE(
    "every optimizer goes against the gradient, in f32 and f64, and stays where there is none") {
  for (const auto name : optimizer_names()) {
    for (const auto dtype : {DType::f32, DType::f64}) {
      CAPTURE(name);
      const Parameter p = parameter(dtype);
      const auto optimizer = make_optimizer(name, {p}, R"({"weight_decay": 0})");
      for (int step = 0; step < 3; ++step) {
        p.set_grad(gradient(dtype));
        CHECK(optimizer->step().applied);
      }
      CHECK(values(p)[0] < 1);
      CHECK(values(p)[1] > 1);
      CHECK(values(p)[2] == 1);
      CHECK(optimizer->steps() == 3);
    }
  }
}

TEST_CASE("a step over nothing changes nothing, in the values and in what comes after") {
  for (const auto name : optimizer_names()) {
    CAPTURE(name);
    const Parameter one = parameter(), other = parameter();
    const auto a = make_optimizer(name, {one}), b = make_optimizer(name, {other});
    for (int step = 0; step < 4; ++step) {
      one.set_grad(gradient(DType::f64, step + 1));
      other.set_grad(gradient(DType::f64, step + 1));
      CHECK(a->step().applied);
      CHECK(b->step().applied);
      other.set_grad(gradient(DType::f64, 0), 0);
      const auto before = values(other);
      CHECK(!b->step().applied);
      CHECK(values(other) == before);
      CHECK(b->steps() == step + 1);
    }
    CHECK(values(one) == values(other));
  }
}

TEST_CASE("without an epsilon a value that never had a gradient stays finite") {
  for (const auto name : {"Adam", "AdamW", "Nadam", "RMSprop", "Adagrad", "Adadelta", "Adamax"}) {
    CAPTURE(name);
    const Parameter p = parameter();
    const auto optimizer = make_optimizer(name, {p}, R"({"epsilon": 0, "weight_decay": 0})");
    p.set_grad(gradient(DType::f64));
    optimizer->step();
    for (double v : values(p)) CHECK(std::isfinite(v));
    CHECK(values(p)[2] == 1);
  }
}

TEST_CASE("a centered RMSprop of a constant gradient stays finite: rounding is no variance") {
  const Parameter p = parameter(DType::f32);
  RMSprop optimizer{{p}, {.rho = 0.5, .momentum = 0.9, .centered = true}};
  for (int step = 0; step < 200; ++step) {
    p.set_grad(full({3}, 0.1, DType::f32));
    optimizer.step();
    for (double v : values(p)) CHECK(std::isfinite(v));
  }
}

TEST_CASE("a parameter without a gradient makes no step of its own") {
  const Parameter often = parameter(), seldom = parameter(), alone = parameter();
  Adam both{{often, seldom}}, one{{alone}};
  for (int step = 0; step < 3; ++step) {
    often.set_grad(gradient(DType::f64));
    if (step == 2) seldom.set_grad(gradient(DType::f64));
    both.step();
  }
  alone.set_grad(gradient(DType::f64));
  one.step();
  CHECK(values(seldom) == values(alone));
}

TEST_CASE("a steady step allocates nothing") {
  for (const auto name : optimizer_names()) {
    CAPTURE(name);
    const Parameter p(zeros({100, 100}), "p");
    const auto optimizer = make_optimizer(name, {p});
    const Tensor grad = random_normal({100, 100}, Seed{1});
    auto step = [&] {
      p.set_grad(grad);
      optimizer->step();
    };
    for (int i = 0; i < 2; ++i) step();
    const auto before = memory::stats().heap_allocations;
    for (int i = 0; i < 3; ++i) step();
    CHECK(memory::stats().heap_allocations == before);
  }
}

TEST_CASE("Lion moves by one size, and decays apart from it") {
  const Parameter p = parameter();
  Lion lion{{p}, {.learning_rate = 0.1, .weight_decay = 0.5}};
  p.set_grad(gradient(DType::f64));
  lion.step();
  CHECK(values(p)[0] == doctest::Approx(1 - 0.1 * 1.5));
  CHECK(values(p)[1] == doctest::Approx(1 + 0.1 * 0.5));
  CHECK(values(p)[2] == doctest::Approx(1 - 0.1 * 0.5));
}

TEST_CASE("every optimizer refuses a learning rate that is no number above 0") {
  for (const auto name : optimizer_names()) {
    CAPTURE(name);
    for (const auto rate : {"0", "-1", "\"nan\"", "\"inf\""}) {
      CHECK(throws<OptionError>(
          [&] {
            make_optimizer(name, {parameter()}, R"({"learning_rate": )" + std::string(rate) + "}");
          },
          name, ".learning_rate is"));
    }
    CHECK(throws<OptionError>([&] { make_optimizer(name, {}); }, name, "no parameters"));
    CHECK(throws<OptionError>(
        [&] { make_optimizer(name, {parameter()}, R"({"weight_decay": -0.1})"); }, name,
        ".weight_decay is -0.1; expected 0 or more"));
  }
}

TEST_CASE("a schedule may begin at 0, but not below") {
  SGD sgd{{parameter()}};
  sgd.set_learning_rate(0);
  CHECK(sgd.learning_rate() == 0);
  for (const double rate : {-1., nan, infinity}) {
    CHECK(throws<OptionError>([&] { sgd.set_learning_rate(rate); }, "SGD", ".learning_rate"));
  }
}

TEST_CASE("options of optimizers stay in their ranges") {
  const std::vector<Parameter> p{parameter()};
  CHECK(throws<OptionError>([&] { SGD({p}, {.momentum = 1}); }, ".momentum is 1", "below 1"));
  CHECK(throws<OptionError>([&] { SGD({p}, {.dampening = -1}); }, ".dampening is -1"));
  CHECK(throws<OptionError>([&] { AdamW({p}, {.beta_2 = nan}); }, "AdamW", ".beta_2 is nan"));
  CHECK(throws<OptionError>([&] { Nadam({p}, {.momentum_decay = -1}); }, ".momentum_decay is -1"));
  CHECK(throws<OptionError>([&] { RMSprop({p}, {.rho = 1}); }, ".rho is 1"));
  CHECK(throws<OptionError>([&] { Adadelta({p}, {.epsilon = -1}); }, ".epsilon is -1"));
  CHECK(throws<OptionError>([&] { Adagrad({p}, {.lr_decay = -1}); }, ".lr_decay is -1"));
  CHECK(throws<OptionError>([&] { Adamax({p}, {.beta_1 = 2}); }, ".beta_1 is 2"));
  CHECK(throws<OptionError>([&] { Lion({p}, {.beta_1 = -1}); }, ".beta_1 is -1"));
}

TEST_CASE("an optimizer is described with its options and the learning rate as it is now") {
  for (const auto name : optimizer_names()) {
    CAPTURE(name);
    const auto first = make_optimizer(name, {parameter()}, R"({"weight_decay": 0.25})");
    first->set_learning_rate(0.125);
    const auto text = describe(*first);
    CHECK(text.find("0.25") != std::string::npos);
    const auto second = optimizer_from(text, {parameter()});
    CHECK(second->kind() == name);
    CHECK(second->learning_rate() == 0.125);
    CHECK(describe(*second) == text);
  }
  CHECK(throws<OptionError>([] { make_optimizer("Adams", {}); }, "no optimizer 'Adams'", "'Adam'"));
  CHECK(
      throws<OptionError>([] { make_optimizer("Adam", {parameter()}, R"({"beta": 1})"); }, "beta"));
}

}  // namespace
}  // namespace maskgrad::tests::test_optimizers
