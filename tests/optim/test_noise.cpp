#include <doctest/doctest.h>

#include "optim/noisy.hpp"

namespace maskgrad::tests::test_noise {
namespace {

/// Every layer that draws noise, with what it takes behind [batch, time].
std::vector<AnyLayer> noisy_layers() {
  return {Dropout{{.rate = 0.5}},
          SpatialDropout1D{{.rate = 0.5}},
          AlphaDropout{{.rate = 0.5}},
          GaussianDropout{{.rate = 0.5}},
          GaussianNoise{{.stddev = 1}},
          GRU{{.units = 4, .dropout = 0.5, .return_sequences = true}},
          LSTM{{.units = 4, .recurrent_dropout = 0.5, .return_sequences = true}},
          RNN{AnyLayer(GRUCell{{.units = 4, .dropout = 0.5}}), {.return_sequences = true}},
          MultiHeadAttention{{.num_heads = 2, .key_dim = 2, .dropout = 0.5}},
          AdditiveAttention{{.dropout = 0.5}},
          TimeDistributed{Dropout{{.rate = 0.5}}},
          Sequential(std::vector<AnyLayer>{Dense{{.units = 4}}, Dropout{{.rate = 0.5}}})};
}

TEST_SUITE("noise") {
  TEST_CASE("each forward pass of a step draws its own noise, and each step begins anew") {
    for (AnyLayer& layer : noisy_layers()) {
      CAPTURE(layer.kind());
      build(layer, Spec::f64({any, any, 4}), Seed{1});
      const auto pass = [&] { return dense_values(layer.call({some()})[0]); };
      const Values first = pass(), second = pass(), third = pass();
      CHECK(first != second);
      CHECK(first != third);
      CHECK(second != third);
      {
        const Evaluate evaluate;  // draws nothing, so counts nothing
        CHECK(pass() == pass());
      }
      {
        const NoiseStep step({.step = 0});
        CHECK(pass() == first);
        CHECK(pass() == second);
      }
      {
        const NoiseStep step({.step = 1});
        CHECK(pass() != first);
      }
      build(layer, Spec::f64({any, any, 4}), Seed{1});
      CHECK(pass() == first);
    }
  }

  TEST_CASE("one layer at two places of a model draws two noises") {
    Functional model;
    const auto x = model.input();
    const auto drop = model.layer(Dropout{{.rate = 0.5}});
    model.outputs({model.call(drop, {x}), model.call(drop, {x})});
    model.build({Spec::f64({any, 400})}, Seed{1});
    const Tensors both = model({ones({2, 400}, DType::f64)});
    CHECK(dense_values(both[0]) != dense_values(both[1]));
    // Independent: kept in both is a quarter.
    CHECK(mean(both[0] * both[1]).item() == doctest::Approx(1).epsilon(0.15));
  }

  TEST_CASE("two layers of one seed draw the same, call by call") {
    Dropout a{{.rate = 0.5, .seed = Seed{3}, .name = "a"}};
    Dropout b{{.rate = 0.5, .seed = Seed{3}, .name = "b"}};
    build(a, Spec::f64({any, any, 4}));
    build(b, Spec::f64({any, any, 4}));
    const Tensor x = some();
    for (int call = 0; call < 2; ++call) CHECK(dense_values(a(x)) == dense_values(b(x)));
  }

  TEST_CASE("a recurrence draws one noise for all steps, wherever they stand") {
    for (const double left : {0., 1.}) {
      RNN layer{AnyLayer(SimpleRNNCell{
                    {.units = 4, .dropout = (1 - left) * 0.5, .recurrent_dropout = left * 0.5}}),
                {.return_sequences = true}};
      build(layer, Spec::f64({any, any, 4}), Seed{1});
      const Tensor x = some(), padded = concatenate({zeros({3, 2, 4}, DType::f64), x}, 1);
      std::vector<bool> valid(3 * 7, true);
      for (std::size_t i = 0; i < valid.size(); ++i) valid[i] = i % 7 >= 2;
      for (int call = 0; call < 2; ++call) {
        const auto at = static_cast<std::uint64_t>(call);
        const auto draw = [&](const Tensor& input) {
          const NoiseStep step({at});
          return layer(input);
        };
        const Tensor alone = draw(x);
        const Tensor y = draw(padded.with_mask(Mask::keep(valid, {3, 7})));
        CHECK(dense_values(slice(y, 1, 2, 7)) == dense_values(alone));
      }
    }
  }

  Values losses_of_three_steps(Sequential & model) {
    SGD sgd{model.parameters(), {.learning_rate = 0.1}};
    Values losses;
    for (int step = 0; step < 3; ++step) {
      const Loss loss = twice(model, some());
      losses.push_back(loss.value());
      loss.backward();
      sgd.step();
    }
    return losses;
  }

  TEST_CASE("a second training in a thread draws what the first drew") {
    Sequential first = dropping();
    const Sequential untrained = first.clone();
    const Values losses = losses_of_three_steps(first);
    CHECK(losses[0] > 0);
    for (int pass = 0; pass < 5; ++pass) first(some());  // what stands between moves nothing
    Sequential second = dropping();
    CHECK(losses_of_three_steps(second) == losses);
    Sequential copy = untrained.clone();
    CHECK(losses_of_three_steps(copy) == losses);  // the optimizer alone begins anew
  }

  TEST_CASE("a model that is loaded in a training leaves its noise as it was") {
    Sequential model = dropping();
    const auto path = std::filesystem::temp_directory_path() / "maskgrad_noise.safetensors";
    save_model(model, path);
    const Values first = dense_values(model(some()));
    load_model(path);
    CHECK(dense_values(model(some())) != first);
    std::filesystem::remove(path);
  }

  TEST_CASE(
      "passes count alike in each part of a step, so any split has the gradient of the whole") {
    Sequential model = dropping();
    const Tensor x = some(6);
    const auto gradient = [&](const std::vector<std::int64_t>& cuts, bool by_hand) {
      for (const auto& p : model.parameters()) p.clear_grad();
      const SGD begins_noise{model.parameters()};
      model(x);  // counts as well
      Accumulate parts(model.parameters());
      for (std::size_t i = 1; i < cuts.size(); ++i) {
        const Loss loss = twice(model, slice(x, 0, cuts[i - 1], cuts[i]));
        by_hand ? loss.backward() : parts.add(loss);
      }
      if (!by_hand) parts.finish();
      Values all;
      for (const auto& p : model.parameters()) {
        const Values g = p.grad().to_vector<double>();
        all.insert(all.end(), g.begin(), g.end());
      }
      return all;
    };
    const Values whole = gradient({0, 6}, true);
    for (const auto& cuts : std::vector<std::vector<std::int64_t>>{
             {0, 6}, {0, 1, 6}, {0, 2, 2, 5, 6}, {0, 1, 2, 3, 4, 5, 6}}) {
      const Values parts = gradient(cuts, false);
      REQUIRE(parts.size() == whole.size());
      for (std::size_t i = 0; i < whole.size(); ++i) {
        CHECK(parts[i] == doctest::Approx(whole[i]).epsilon(1e-9));
      }
    }
  }

  TEST_CASE("a scope puts back where noise stands, and gradcheck draws one noise for all calls") {
    for (const bool trained : {false, true}) {
      CAPTURE(trained);
      Sequential model = dropping();
      std::optional<SGD> sgd;
      if (trained) sgd.emplace(model.parameters());
      const auto pass = [&] { return dense_values(model(some())); };
      const Values first = pass();
      Values second;
      for (int i = 0; i < 3; ++i) {
        const NoiseScope scope;
        const Values drawn = pass();
        CHECK(drawn != first);
        CHECK(drawn != pass());
        if (i > 0) CHECK(drawn == second);
        second = drawn;
        twice(model, some()).backward();
        if (sgd) sgd->clear_grad();
      }
      CHECK(pass() == second);
      const auto report = gradcheck(model, some());
      CHECK_MESSAGE(report, report.str());
    }
  }

  TEST_CASE("a step that is opened is where noise is drawn, whatever stands around it") {
    Sequential model = dropping();
    SGD sgd{model.parameters(), {.learning_rate = 0.1}};
    const auto pass = [&](std::int64_t from = 0) {
      return dense_values(model(slice(some(), 0, from, 3)));
    };
    const auto at = [&](NoisePosition position) {
      const auto from = position.sequence;
      const NoiseStep step(std::move(position));
      return pass(from);
    };
    const Values third = at({.step = 3}), behind = at({.step = 3, .sequence = 1});
    CHECK(third == at({.step = 3}));
    CHECK(third != at({.step = 4}));
    REQUIRE(behind.size() == third.size() / 3 * 2);
    for (std::size_t i = 0; i < behind.size(); ++i) {
      CHECK(behind[i] == doctest::Approx(third[third.size() / 3 + i]));
    }
    {
      const NoiseStep step({.step = 2});
      twice(model, some()).backward();
      CHECK(noise_position().step == 2);
      CHECK(noise_position().sequence == 0);
      sgd.step();  // the next is the one behind it
    }
    const Values next = pass();
    CHECK(next == at({.step = 3}));
    CHECK(next != at({.step = 1}));
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_noise
