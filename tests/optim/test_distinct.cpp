#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/maskgrad.hpp>

#include "io/files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_distinct {
namespace {

using Doubles = std::vector<double>;

/// A weight with a gradient, which begins the same each time.
Parameter weight(std::string name = "shared/kernel") {
  const Parameter p(tensor({1., -2.}, {2}), std::move(name));
  p.set_grad(tensor({3., -4.}, {2}));
  return p;
}

Doubles values(const Parameter& p) {
  return p.value().to_vector<double>();
}

TEST_CASE("every optimizer steps a parameter once that stands twice in its list") {
  for (const auto kind : optimizer_names()) {
    CAPTURE(kind);
    const Parameter once = weight(), twice = weight();
    const auto one = make_optimizer(kind, {once}), two = make_optimizer(kind, {twice, twice});
    for (int step = 0; step < 3; ++step) {
      once.set_grad(tensor({3., -4.}, {2}));
      twice.set_grad(tensor({3., -4.}, {2}));
      CHECK(one->step().norm == 5);
      CHECK(two->step().norm == 5);
    }
    CHECK(values(once) == values(twice));
    CHECK(two->parameters().size() == 1);
    CHECK(two->state_arrays().size() == one->state_arrays().size());
  }
}

TEST_CASE("norms, clips, averages, noise and parts count a parameter once that stands twice") {
  const Parameter p = weight();
  CHECK(global_norm({p, p}) == 5);
  CHECK(clip_by_global_norm({p, p}, 2.5) == 5);
  CHECK(p.grad().to_vector<double>() == Doubles{1.5, -2});
  clip_by_value({p, p}, 1);
  CHECK(p.grad().to_vector<double>() == Doubles{1, -1});

  MovingAverage average({p, p}, {.decay = 0.5, .warm_up = false});
  p.set(tensor({3., 0.}, {2}));
  average.update();
  CHECK(average.saved_values().size() == 2);
  {
    const MovingAverage::Use use(average);
    CHECK(values(p) == Doubles{2, -1});
  }
  CHECK(values(p) == Doubles{3, 0});

  Doubles noisy, noisy_twice;
  {
    const WeightNoise noise({p}, 0.5, Seed{3}, 7);
    noisy = values(p);
  }
  {
    const WeightNoise noise({p, p}, 0.5, Seed{3}, 7);
    noisy_twice = values(p);
  }
  CHECK(noisy == noisy_twice);
  CHECK(noisy != values(p));
  CHECK(values(p) == Doubles{3, 0});

  p.clear_grad();
  Accumulate parts({p, p});
  for (int i = 0; i < 2; ++i) {
    parts.add(make_loss("mean", p.tensor() * tensor({1., 2.}, {2})));
  }
  parts.finish();
  CHECK(p.grad().to_vector<double>() == Doubles{0.5, 1});
}

TEST_CASE("two models that share a layer are one list in which the layer's weights are once") {
  Dense shared{{.units = 3, .name = "shared"}};
  build(shared, Spec::f64({any, 2}), Seed{3});  // copies of what is built share its weights
  Sequential a{shared, Dense{{.units = 1}}}, b{shared, Dense{{.units = 1}}};
  a.build(Spec::f64({any, 2}), Seed{1});
  b.build(Spec::f64({any, 2}), Seed{2});
  auto both = a.parameters();
  for (const auto& p : b.parameters()) both.push_back(p);
  SGD sgd{both, {.learning_rate = 1}};
  CHECK(both.size() == 8);
  CHECK(sgd.parameters().size() == 6);
  const Tensor x = ones({1, 2}, DType::f64);
  (mean_squared_error(zeros({1, 1}, DType::f64), a(x)) +
   mean_squared_error(zeros({1, 1}, DType::f64), b(x)))
      .backward();
  const auto kernel = both[0];
  const auto before = values(kernel), grad = kernel.grad().to_vector<double>();
  sgd.step();
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(values(kernel)[i] == doctest::Approx(before[i] - grad[i]));
  }
}

TEST_CASE("weights of a list that names one twice are saved once, and read back") {
  const files::TemporaryFolder folder;
  for (const std::string file : {"weights.safetensors", "weights.npz"}) {
    const auto path = folder / file;
    const Parameter p = weight();
    const std::vector<NamedParameter> list{{"a/kernel", p}, {"b/kernel", p}};
    save_weights(list, path);
    p.set(zeros({2}, DType::f64));
    CHECK(load_weights(list, path).loaded == 1);
    CHECK(values(p) == Doubles{1, -2});
    // A file that has it under both names, or under the second alone.
    const Parameter other(tensor({5., 6.}, {2}));
    save_weights({{"a/kernel", p}, {"b/kernel", other}}, path);
    CHECK(load_weights(list, path).unexpected.empty());
    CHECK(values(p) == Doubles{1, -2});
    save_weights({{"b/kernel", other}}, path);
    load_weights(list, path);
    CHECK(values(p) == Doubles{5, 6});
  }
}

TEST_CASE("a name that is there already gets a number that makes it another") {
  using Names = std::vector<std::string>;
  CHECK(detail::numbered({"a", "b", "a", "a"}) == Names{"a", "b", "a_1", "a_2"});
  CHECK(detail::numbered({"a", "a", "a_1"}) == Names{"a", "a_2", "a_1"});
  CHECK(detail::numbered({"", "", "steps"}, {"steps"}) == Names{"", "_1", "steps_1"});
}

TEST_CASE("an optimizer and an average of two models with equal names keep all they remember") {
  const auto of_two = [] {
    return std::vector<Parameter>{weight("dense/kernel"), weight("dense/kernel")};
  };
  const auto made = of_two(), again = of_two();
  Adam adam{made}, other{again};
  made[1].set_grad(tensor({7., 1.}, {2}));
  adam.step();
  const auto arrays = adam.state_arrays();
  std::vector<std::string> names;
  for (const auto& a : arrays) names.push_back(a.name);
  CHECK(std::count(names.begin(), names.end(), "mean/dense/kernel") == 1);
  CHECK(std::count(names.begin(), names.end(), "mean/dense/kernel_1") == 1);
  const files::TemporaryFolder folder;
  write_safetensors(folder / "state.safetensors", arrays);
  other.set_state(read_safetensors(folder / "state.safetensors").arrays);
  for (std::size_t i = 0; i < 2; ++i) {
    again[i].set(made[i].value());
    made[i].set_grad(tensor({1., 1.}, {2}));
    again[i].set_grad(tensor({1., 1.}, {2}));
  }
  adam.step();
  other.step();
  for (std::size_t i = 0; i < 2; ++i) CHECK(values(made[i]) == values(again[i]));
  MovingAverage average{made};
  CHECK(average.saved_values()[1].name == "dense/kernel");
  CHECK(average.saved_values()[2].name == "dense/kernel_1");
}

TEST_CASE("a step that nothing reached says so, and not that nothing was valid") {
  const Parameter p = weight();
  SGD sgd{{p}};
  p.clear_grad();
  const auto report = sgd.step();
  CHECK(!report.reached);
  CHECK(report.str().find("none of its parameters has a gradient") != std::string::npos);
  CHECK(report.str().find("those of another model") != std::string::npos);
  p.set_grad(zeros({2}, DType::f64), 0);
  CHECK(sgd.step().str() == "not applied: the gradients are of no valid position");
}

TEST_CASE("an average takes a share of 0 of an infinite value for nothing") {
  const double inf = std::numeric_limits<double>::infinity();
  const Parameter p(tensor({-inf, 1.}, {2}), "transitions");
  MovingAverage average({p}, {.decay = 0, .warm_up = false});
  p.set(tensor({2., -inf}, {2}));
  average.update();
  const MovingAverage::Use use(average);
  CHECK(values(p) == Doubles{2, -inf});
}

TEST_CASE("no option is beyond what f32 holds, nor NaN, nor infinite") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = INFINITY;
  for (const double bad : {nan, inf, -inf, -1.0, 1e39}) {
    CAPTURE(bad);
    CHECK(throws<OptionError>([&] { Adam adam({weight()}, {.learning_rate = bad}); },
                              "Adam: the option .learning_rate is"));
    Adam adam({weight()});
    CHECK(throws<OptionError>([&] { adam.set_learning_rate(bad); }, ".learning_rate is"));
    CHECK(throws<OptionError>([&] { AdamW w({weight()}, {.weight_decay = bad}); },
                              ".weight_decay is"));
    CHECK(throws<OptionError>([&] { make_schedule("CosineDecay", "{\"over\": -1}"); },
                              ".over is -1"));
    CHECK(throws<OptionError>([&] { StepDecay({.every = 1, .factor = bad}); }, ".factor is"));
    CHECK(throws<OptionError>([&] { Plateau({.factor = bad}); }, ".factor is"));
    CHECK(throws<OptionError>([&] { Plateau({.min_delta = bad}); }, ".min_delta is"));
    CHECK(throws<OptionError>([&] { MovingAverage a({weight()}, {.decay = bad}); }, ".decay is"));
    CHECK(throws<OptionError>([&] { WeightNoise n({weight()}, bad, {}, 0); }, ".weight_noise is"));
  }
  CHECK(throws<OptionError>([] { Plateau({.factor = 0}); },
                            "the option .factor is 0; expected a number above 0, and below 1"));
  CHECK(throws<OptionError>([&] { clip_by_global_norm({weight()}, nan); }, "max_norm is nan"));
  CHECK(throws<OptionError>([&] { clip_by_value({weight()}, nan); }, "the limit is nan"));
}

TEST_CASE("optimizers are known in lower case") {
  CHECK(make_optimizer("adam", {weight()})->kind() == "Adam");
  CHECK(make_optimizer("rmsprop", {weight()})->kind() == "RMSprop");
  CHECK(make_optimizer("sgd", {weight()}, R"({"momentum": 0.9})")->kind() == "SGD");
  CHECK(throws<OptionError>([] { make_optimizer("adamm", {weight()}); }, "did you mean 'Adam'"));
}

TEST_CASE("what is watched is never best at -inf, inf or NaN, nor after a resumed -inf") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = INFINITY;
  for (const auto mode : {Better::lower, Better::higher}) {
    detail::MonitoredValue watch("test", "loss", mode, 0);
    const auto better = [&watch](double value) {
      Logs logs;
      logs.set("loss", value);
      return watch.better(logs);
    };
    for (const double bad : {nan, inf, -inf}) CHECK(!better(bad));
    CHECK(!watch.best());
    CHECK(better(1));
    for (const double bad : {nan, inf, -inf}) CHECK(!better(bad));
    CHECK(watch.best() == 1);
    CHECK(better(mode == Better::lower ? 0 : 2));
    watch.set_best(mode == Better::lower ? -inf : inf);
    CHECK(better(5));
  }
  Plateau plateau({.monitor = "loss", .factor = 0.5, .patience = 2, .min_delta = 0});
  for (const double value : {-inf, nan, -inf, nan}) {
    Logs logs;
    logs.set("loss", value);
    plateau.end_epoch(logs);
  }
  CHECK(plateau.factor({}) == 0.25);
  CHECK(Schedule(plateau).rule()->monitor() == "loss");
  CHECK(Schedule(WarmUp{{.over = 1, .then = plateau}}).rule()->monitor() == "loss");
}

}  // namespace
}  // namespace maskgrad::tests::test_distinct
