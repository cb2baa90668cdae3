#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_steps {
namespace {

Sequential model_of(DType dtype) {
  Sequential model{GRU{{.units = 5, .dropout = 0.3, .return_sequences = true}},
                   Dropout{{.rate = 0.4}}, Dense{{.units = 2}}};
  model.build(dtype == DType::f64 ? Spec::f64({any, any, 3}) : Spec::f32({any, any, 3}), Seed{1});
  return model;
}

/// Sequences from..to of a batch of `lengths`, with their targets; the padding is NaN.
Loss loss_of(Sequential& model, const std::vector<std::int64_t>& lengths, std::size_t from,
             std::size_t to, Reduction reduction = Reduction::mean) {
  const auto batch = static_cast<std::int64_t>(lengths.size());
  const auto time = *std::max_element(lengths.begin(), lengths.end());
  const Tensor x = random_normal({batch, time, 3}, Seed{8}, DType::f64);
  const Tensor y = random_normal({batch, time, 2}, Seed{9}, DType::f64);
  const auto f = static_cast<std::int64_t>(from), t = static_cast<std::int64_t>(to);
  const std::vector<std::int64_t> part(lengths.begin() + f, lengths.begin() + t);
  const Mask mask = Mask::from_lengths(part, time);
  const Tensor out = model(slice(x, 0, f, t).with_mask(mask));
  const LossOptions options{.reduction = reduction};
  return mean_squared_error(slice(y, 0, f, t), out, options) +
         0.3 * mean_squared_error(slice(y, 0, f, t), reverse(out), options);
}

std::vector<std::vector<double>> gradients(const Sequential& model) {
  std::vector<std::vector<double>> all;
  for (const auto& p : model.parameters()) all.push_back(p.grad().to_vector<double>());
  return all;
}

TEST_SUITE("laws") {
  TEST_CASE("any split into 1 to 16 parts has the gradient of the whole, dropout included") {
    std::vector<std::int64_t> lengths{7, 0, 3, 12, 1, 0, 200, 5, 8, 2, 0, 60, 4, 9, 1, 6};
    std::mt19937_64 random(4);
    for (const auto reduction : {Reduction::mean, Reduction::per_sequence, Reduction::sum}) {
      Sequential model = model_of(DType::f64);
      const SGD begins_noise{model.parameters(), {.learning_rate = 1}};
      const Loss whole = loss_of(model, lengths, 0, lengths.size(), reduction);
      whole.backward();
      const auto expected = gradients(model);
      for (const std::size_t parts : {1u, 2u, 3u, 7u, 16u}) {
        for (const auto& p : model.parameters()) p.clear_grad();
        const SGD begins_again{model.parameters(), {.learning_rate = 1}};
        std::vector<std::size_t> cuts{0, lengths.size()};
        while (cuts.size() < parts + 1) {
          const auto cut = random() % (lengths.size() + 1);  // equal cuts: parts without sequences
          cuts.push_back(cut);
        }
        std::sort(cuts.begin(), cuts.end());
        Accumulate acc{model.parameters()};
        for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
          if (cuts[i] == cuts[i + 1]) continue;
          acc.add(loss_of(model, lengths, cuts[i], cuts[i + 1], reduction));
        }
        const auto total = acc.finish();
        CHECK(total.value == doctest::Approx(whole.value()).epsilon(1e-12));
        CHECK(total.count == whole.count());
        const auto got = gradients(model);
        for (std::size_t k = 0; k < got.size(); ++k) {
          for (std::size_t i = 0; i < got[k].size(); ++i) {
            CHECK(std::abs(got[k][i] - expected[k][i]) <=
                  1e-12 * std::max(1.0, std::abs(expected[k][i])));
          }
        }
      }
    }
  }

  TEST_CASE("10 training steps are bit-identical for 1, 2, 3 and 4 threads") {
    const int before = num_threads();
    std::vector<double> first;
    for (const int threads : {1, 2, 3, 4}) {
      set_num_threads(threads);
      Sequential model{GRU{{.units = 32, .return_sequences = true}}, Dropout{{.rate = 0.2}},
                       Dense{{.units = 4}}};
      model.build(Spec::f32({any, any, 8}), Seed{1});
      Adam adam{model.parameters()};
      const Tensor x = random_normal({24, 60, 8}, Seed{2});
      std::vector<std::int64_t> lengths;
      for (std::int64_t s = 0; s < 24; ++s) lengths.push_back(60 - 2 * s);
      std::vector<double> seen;
      for (int step = 0; step < 10; ++step) {
        const Loss loss = mean_squared_error(zeros({24, 60, 4}),
                                             model(x.with_mask(Mask::from_lengths(lengths, 60))));
        loss.backward();
        seen.push_back(loss.value());
        seen.push_back(adam.step().norm);
      }
      for (const auto& p : model.parameters()) {
        for (float v : p.value().to_vector<float>()) seen.push_back(v);
      }
      if (first.empty()) first = seen;
      CHECK(seen == first);
    }
    set_num_threads(before);
  }
}

/// A training step on 16 sequences of 100 steps, `valid` of each there.
void train_step(Sequential& model, Adam& adam, std::int64_t valid) {
  const Tensor x = random_normal({16, 100, 8}, Seed{2});
  const std::vector<std::int64_t> lengths(16, valid);
  const Tensor rows = x.with_mask(Mask::from_lengths(lengths, 100));
  const Loss loss = mean_squared_error(slice(rows, -1, 0, 4), model(rows));
  loss.backward();
  adam.step();
}

TEST_CASE("a steady training step makes no heap allocation for tensor data") {
  Sequential model{GRU{{.units = 16, .return_sequences = true}}, Dropout{{.rate = 0.1}},
                   Dense{{.units = 4}}};
  model.build(Spec::f32({any, any, 8}), Seed{1});
  Adam adam{model.parameters()};
  for (int i = 0; i < 3; ++i) train_step(model, adam, 70);
  const auto before = memory::stats().heap_allocations;
  for (int i = 0; i < 5; ++i) train_step(model, adam, 70);
  CHECK(memory::stats().heap_allocations == before);
}

TEST_CASE("the memory of a step follows the valid rows: a quarter needs under 0.35 of all") {
  auto peak = [](std::int64_t valid) {
    Sequential model{GRU{{.units = 64, .return_sequences = true}}, Dense{{.units = 8}}};
    model.build(Spec::f32({any, any, 16}), Seed{1});
    Adam adam{model.parameters()};
    const std::vector<std::int64_t> lengths(34, valid);
    std::vector<std::vector<float>> sequences(
        34, std::vector<float>(static_cast<std::size_t>(valid) * 16, 0.5f));
    const Tensor x = from_sequences(sequences, {16});
    const Tensor y = slice(x, -1, 0, 8);
    const auto before = memory::stats().bytes_in_use;
    memory::reset_high_water();
    mean_squared_error(y, model(x)).backward();
    adam.step();
    return static_cast<double>(memory::stats().high_water - before);
  };
  const double all = peak(1000), quarter = peak(250);
  CAPTURE(all);
  CAPTURE(quarter);
  CHECK(quarter < 0.35 * all);
}

TEST_CASE("training on sequences of changing lengths holds 1.5 times what the longest needs") {
  struct Schedule {
    std::string name;
    std::int64_t (*length)(std::int64_t step);
  };
  const Schedule schedules[] = {
      {"random", [](std::int64_t i) { return 10 + i * 7919 % 591; }},
      {"growing", [](std::int64_t i) { return 10 + i * 10; }},
      {"shrinking", [](std::int64_t i) { return 600 - i * 10; }},
      {"alternating", [](std::int64_t i) { return i % 2 ? std::int64_t{600} : 40 + i; }},
  };
  for (const auto& schedule : schedules) {
    Sequential model{GRU{{.units = 24, .return_sequences = true}}, Dropout{{.rate = 0.1}},
                     Dense{{.units = 4}}};
    model.build(Spec::f32({any, any, 8}), Seed{1});
    Adam adam{model.parameters()};
    memory::release_unused();
    memory::reset_high_water();
    for (std::int64_t i = 0; i < 60; ++i) {
      const Tensor x = random_normal({6, schedule.length(i), 8}, Seed{3});
      mean_squared_error(slice(x, -1, 0, 4), model(x)).backward();
      adam.step();
    }
    const auto now = memory::stats();
    CAPTURE(schedule.name);
    CAPTURE(now.bytes_reserved);
    CAPTURE(now.high_water);
    CHECK(now.bytes_reserved * 2 <= now.high_water * 3);
  }
}

TEST_CASE("clipping scales all gradients by one factor and gives the norm before") {
  const Parameter a(zeros({2}, DType::f64), "a"), b(zeros({1}, DType::f64), "b");
  a.set_grad(tensor({3., 0.}, {2}));
  b.set_grad(tensor({4.}, {1}));
  CHECK(clip_by_global_norm({a, b}, 1) == doctest::Approx(5));
  CHECK(a.grad().to_vector<double>()[0] == doctest::Approx(0.6));
  CHECK(clip_by_global_norm({a, b}, 2) == doctest::Approx(1));
  CHECK(throws<OptionError>([&] { clip_by_global_norm({a}, 0); }, "max_norm is 0"));
}

TEST_CASE("a gradient that is not finite stops the step by name, with nothing changed") {
  const Parameter a(ones({2}, DType::f64), "head/kernel");
  a.set_grad(tensor({1., std::numeric_limits<double>::infinity()}, {2}));
  SGD sgd{{a}};
  CHECK(throws<GradError>([&] { sgd.step(); }, "'head/kernel'", "NaN or infinite"));
  CHECK(a.value().to_vector<double>() == std::vector<double>{1, 1});
  CHECK(sgd.steps() == 0);
}

TEST_CASE("a step reports what it did") {
  const Parameter a(ones({2}, DType::f64), "a"), b(ones({2}, DType::f64), "b");
  a.set_grad(tensor({1., 0.}, {2}));
  SGD sgd{{a, b}, {.learning_rate = 0.5}};
  const auto report = sgd.step();
  CHECK(report.applied);
  CHECK(report.norm == 1);
  CHECK(report.without_gradient == std::vector<std::string>{"b"});
  CHECK(a.value().to_vector<double>() == std::vector<double>{0.5, 1});
  CHECK(!a.grad().defined());
}

TEST_CASE("options of optimizers are checked") {
  const Parameter a(ones({2}), "a");
  CHECK(throws<OptionError>([&] { SGD sgd({}, {}); }, "no parameters"));
  CHECK(throws<OptionError>([&] { SGD sgd({a}, {.nesterov = true}); }, "nesterov", "momentum 0"));
  CHECK(throws<OptionError>([&] { Adam adam({a}, {.beta_1 = 1}); }, ".beta_1 is 1"));
  CHECK(throws<OptionError>([&] { Adam adam({a}, {.learning_rate = -1}); }, ".learning_rate"));
}

TEST_CASE("Accumulate refuses what would count twice or mix losses") {
  const Parameter a(ones({2, 1}, DType::f64), "a");
  const Tensor zero = zeros({2, 1}, DType::f64);
  a.set_grad(zero);
  CHECK(throws<GradError>([&] { Accumulate acc{{a}}; }, "'a' holds a gradient already"));
  a.clear_grad();
  Accumulate acc{{a}};
  CHECK(throws<GradError>([&] { acc.finish(); }, "without a part"));
  acc.add(mean_squared_error(zero, a));
  CHECK(throws<GradError>([&] { acc.add(0.5 * mean_squared_error(zero, a)); },
                          "expected the same loss"));
}

}  // namespace
}  // namespace maskgrad::tests::test_steps
