#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_optimizer_state {
namespace {

/// Options under which an optimizer keeps all that it can.
std::string greedy(std::string_view name) {
  if (name == "SGD") return R"({"momentum": 0.9, "nesterov": true, "weight_decay": 0.01})";
  if (name == "RMSprop") return R"({"momentum": 0.9, "centered": true})";
  if (name == "Adam" || name == "AdamW") return R"({"amsgrad": true})";
  return "{}";
}

void train(const std::vector<Parameter>& parameters, Optimizer& optimizer, std::uint64_t from,
           std::uint64_t steps) {
  for (auto i = from; i < from + steps; ++i) {
    for (const auto& p : parameters) {
      if (i % 3 == 2 && &p != parameters.data()) continue;  // the steps of parameters differ
      p.set_grad(random_normal(p.shape(), Seed{i}.of(p.name()), p.dtype()));
    }
    optimizer.step();
  }
}

std::vector<Parameter> two(DType dtype) {
  return {Parameter(ones({2, 3}, dtype), "a/kernel"), Parameter(ones({3}, dtype), "a/bias")};
}

std::vector<double> values(const std::vector<Parameter>& parameters) {
  std::vector<double> all;
  for (const auto& p : parameters) {
    for (const double v : cast(p.value(), DType::f64).to_vector<double>()) all.push_back(v);
  }
  return all;
}

TEST_CASE("an optimizer goes on from its arrays as if it had never stopped, bit by bit") {
  for (const auto name : optimizer_names()) {
    for (const auto dtype : {DType::f32, DType::f64}) {
      CAPTURE(name);
      const auto whole = two(dtype), halves = two(dtype);
      const auto one = make_optimizer(name, whole, greedy(name));
      train(whole, *one, 0, 9);

      const auto first = make_optimizer(name, halves, greedy(name));
      train(halves, *first, 0, 5);
      const auto kept = first->state_arrays();
      const auto second = make_optimizer(name, halves, greedy(name));
      second->set_state(kept);
      CHECK(second->steps() == 5);
      train(halves, *second, 5, 4);
      CHECK(values(halves) == values(whole));
      CHECK(second->state_arrays() == one->state_arrays());
    }
  }
}

TEST_CASE("arrays that do not fit an optimizer are all listed, and nothing is changed") {
  const auto parameters = two(DType::f64);
  Adam adam{parameters};
  train(parameters, adam, 0, 2);
  const auto good = adam.state_arrays();
  auto bad = good;
  bad.erase(bad.begin() + 2);
  bad.back().name = "square/b/bias";
  bad[2].array = Array::of<double>({2}, std::vector<double>{1, 2});
  CHECK(throws<FileError>([&] { adam.set_state(bad); },
                          "Adam: the state does not fit the optimizer; nothing was changed",
                          "missing: mean/a/kernel, square/a/bias", "unexpected: square/b/bias",
                          "square/a/kernel (the file has f64[2], the optimizer f64[2, 3])"));
  CHECK(adam.state_arrays() == good);
  SGD plain{parameters};
  CHECK(throws<FileError>([&] { plain.set_state(good); }, "unexpected: mean/a/kernel"));
}

TEST_CASE("moments that cannot be are refused by name, and nothing is changed") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const auto name : optimizer_names()) {
    for (const auto dtype : {DType::f32, DType::f64}) {
      const auto parameters = two(dtype);
      const auto optimizer = make_optimizer(name, parameters, greedy(name));
      train(parameters, *optimizer, 0, 3);
      const auto good = optimizer->state_arrays();
      for (std::size_t i = 0; i < good.size(); ++i) {
        const auto& array = good[i].array;
        if (array.dtype == DType::i64) continue;
        CAPTURE(good[i].name);
        const bool either =
            good[i].name.starts_with("mean") || good[i].name.starts_with("velocity");
        for (const double odd : {std::nan(""), inf, -inf, -0.5}) {
          auto bad = good;
          const Shape shape(array.shape);
          bad[i].array = detail::array_of(full(shape, odd, array.dtype));
          if (either && odd == -0.5) {
            optimizer->set_state(bad);
            optimizer->set_state(good);
            continue;
          }
          CHECK(throws<FileError>(
              [&] { optimizer->set_state(bad); },
              "nothing was changed\n  of a value that cannot be: " + good[i].name));
          CHECK(optimizer->state_arrays() == good);
        }
      }
    }
  }
}

TEST_CASE("weight decay spares biases and norms on request, and what a filter says") {
  for (const auto name : optimizer_names()) {
    CAPTURE(name);
    for (const bool spares : {false, true}) {
      const auto parameters = two(DType::f64);
      const auto optimizer = make_optimizer(
          name, parameters,
          spares ? R"({"weight_decay": 0.5, "decay_biases": false})" : R"({"weight_decay": 0.5})");
      for (const auto& p : parameters) p.set_grad(zeros(p.shape(), p.dtype()));
      optimizer->step();
      CHECK(parameters[0].value().item({0, 0}) < 1);
      CHECK((parameters[1].value().item({0}) == 1) == spares);
    }
    const auto parameters = two(DType::f64);
    const auto optimizer = make_optimizer(name, parameters, R"({"weight_decay": 0.5})");
    optimizer->spare_from_decay([](const Parameter& p) { return p.name() == "a/kernel"; });
    for (const auto& p : parameters) p.set_grad(zeros(p.shape(), p.dtype()));
    optimizer->step();
    CHECK(parameters[0].value().item({0, 0}) == 1);
    CHECK(parameters[1].value().item({0}) < 1);
  }
}

TEST_CASE("biases and norms are told by their names or their one axis") {
  const auto is = [](const char* name, const Shape& shape) {
    return is_bias_or_norm(Parameter(zeros(shape), name));
  };
  CHECK(is("gru/bias", {2, 9}));
  CHECK(is("norm/gamma", {4, 4}));
  CHECK(is("beta", {4, 4}));
  CHECK(is("mine/offset", {4}));
  CHECK(!is("gru/kernel", {4, 4}));
  CHECK(!is("bias/kernel", {4, 4}));
}

}  // namespace
}  // namespace maskgrad::tests::test_optimizer_state
