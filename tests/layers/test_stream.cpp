#include <doctest/doctest.h>

#include <set>

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::tests::test_stream {

Tensor numbers(const Shape& shape, std::uint64_t seed) {
  return random_normal(shape, Seed{seed}, DType::f64);
}

Sequential tagger() {
  Sequential model{GRU{{.units = 4, .return_sequences = true}},
                   MaskedConv1D{{.filters = 5, .kernel_size = 3, .padding = "same"}},
                   MaskedMaxPooling1D{{.pool_size = 2}}, Dense{{.units = 2}}};
  model.build(Spec::f64({any, any, 3}).masked(2), Seed{1});
  return model;
}

double greatest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  return max(abs(a.drop_mask("compared") - b.drop_mask("compared"))).item();
}

TEST_CASE("a time contract is composed of those of the layers") {
  const auto model = tagger();
  const auto time = time_contract(model);
  CHECK(time.look_back == endless);
  CHECK(time.look_ahead == 2);  // one of the convolution, one of the window of two
  CHECK(time.stride == 2);
  CHECK(model.latency() == 2);
  CHECK(latency(model) == 2);
  CHECK(time.str() == "back endless · ahead 2 · a step for each 2");
  CHECK(latency(Sequential{Bidirectional{GRU{{.units = 2}}}}) == endless);
}

TEST_CASE("each sequence moves on by its own number of steps, and a place is used again") {
  auto model = tagger();
  const Evaluate evaluate;
  Stream stream(model, {.sequences = 2});
  const Tensor a = numbers({1, 9, 3}, 1), b = numbers({1, 5, 3}, 2), c = numbers({1, 4, 3}, 3);
  const auto whole = [&](const Tensor& x) {
    return model(x.with_mask(Mask::from_lengths({x.shape()[1]})));
  };
  // Place 0: a. Place 1: b, then c.
  const auto pair = [&](const Tensor& x, std::int64_t i, std::int64_t n, const Tensor& y,
                        std::int64_t j, std::int64_t m) {
    const auto time = std::max(n, m);
    const auto wide = [&](const Tensor& t, std::int64_t from, std::int64_t count) {
      const Tensor part = slice(t, 1, from, from + count);
      return count == time ? part
                           : concatenate({part, full({1, time - count, 3}, 99, DType::f64)}, 1);
    };
    return concatenate({wide(x, i, n), wide(y, j, m)}, 0)
        .with_mask(Mask::from_lengths({n, m}, time));
  };
  std::vector<std::vector<double>> got(3);
  const auto take = [&](const Tensor& y, std::size_t first, std::size_t second) {
    for (std::int64_t s = 0; s < 2; ++s) {
      const auto length = y.mask().lengths()[static_cast<std::size_t>(s)];
      const Tensor steps = slice(slice(y, 0, s, s + 1), 1, 0, length).drop_mask("read");
      for (const double v : steps.to_vector<double>()) got[s == 0 ? first : second].push_back(v);
    }
  };
  take(stream.push(pair(a, 0, 4, b, 0, 1)), 0, 1);
  CHECK(stream.steps(0) == 4);
  CHECK(stream.steps(1) == 1);
  take(stream.push(pair(a, 4, 0, b, 1, 4)), 0, 1);
  take(stream.finish(std::vector<std::int64_t>{1})[0], 0, 1);
  CHECK(stream.steps(1) == 0);
  take(stream.push(pair(a, 4, 5, c, 0, 3)), 0, 2);
  take(stream.push(pair(a, 9, 0, c, 3, 1)), 0, 2);
  take(stream.finish({0, 1})[0], 0, 2);
  const Tensor all[] = {a, b, c};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto expected = whole(all[i]).drop_mask("compared").to_vector<double>();
    REQUIRE(got[i].size() == expected.size());
    for (std::size_t k = 0; k < expected.size(); ++k) {
      CHECK(got[i][k] == doctest::Approx(expected[k]).epsilon(1e-12));
    }
  }
}

TEST_CASE("branches of unequal latency are lined up where they meet") {
  Functional model;
  const auto x = model.input("x");
  const auto late =
      model.add(MaskedConv1D{{.filters = 3, .kernel_size = 5, .padding = "same"}}, {x});
  const auto now = model.add(GRU{{.units = 3, .return_sequences = true}}, {x});
  model.outputs({model.add(Add{}, {late, now, x})});
  const auto spec = Spec::f64({any, any, 3});
  model.build({spec.masked(2)}, Seed{1});
  CHECK(model.latency() == 2);
  const auto report = check_time_laws(model, {spec});
  CHECK_MESSAGE(report, report.str());

  Functional mixed;
  const auto y = mixed.input("y");
  mixed.outputs({mixed.add(Add{}, {y, mixed.add(GlobalMaxPooling1D{}, {y})})});
  mixed.build({spec.masked(2)}, Seed{1});
  CHECK_THROWS_WITH_AS(Stream{mixed}, doctest::Contains("with a result over the steps so far"),
                       OptionError);
}

TEST_CASE("a stream goes back to a state, goes two ways, and is reordered") {
  Sequential model{TransformerDecoder{{.intermediate_dim = 6, .num_heads = 3}},
                   LSTM{{.units = 3, .return_sequences = true}}};
  model.build(Spec::f64({any, any, 3}).masked(2), Seed{1});
  const Evaluate evaluate;
  Stream stream(model, {.sequences = 3});
  stream.push(numbers({3, 4, 3}, 1));
  const StreamState kept = stream.state();
  const Tensor next = numbers({3, 2, 3}, 2);
  const Tensor once = stream.push(next);
  Stream other = stream;
  stream.set_state(kept);
  CHECK(stream.steps(0) == 4);
  CHECK(greatest_difference(stream.push(next), once) == 0);
  const Tensor third = numbers({3, 1, 3}, 3);
  const Tensor straight = stream.push(third);
  CHECK(greatest_difference(other.push(third), straight) == 0);

  stream.set_state(kept);
  stream.reorder({2, 0, 0});
  const Tensor order = tensor<std::int64_t>({2, 0, 0}, {3});
  const Tensor turned = stream.push(take(next, order));
  CHECK(greatest_difference(turned, take(once.drop_mask("compared"), order)) <= 1e-12);
  CHECK_THROWS_AS(stream.reorder({0, 1}), ShapeError);
  CHECK_THROWS_AS(stream.reorder({0, 1, 3}), IndexError);
}

TEST_CASE("weights that change between pushes are read as they are now") {
  for (const auto& layer :
       {AnyLayer(GRU{{.units = 3, .return_sequences = true}}),
        AnyLayer(LSTM{{.units = 3, .use_bias = false, .return_sequences = true}}),
        AnyLayer(RNN{SimpleRNNCell{{.units = 3}}, {.return_sequences = true}})}) {
    Sequential model{layer};
    model.build(Spec::f64({any, any, 3}).masked(2), Seed{1});
    const Evaluate evaluate;
    Stream stream(model, {.sequences = 2});
    stream.push(numbers({2, 2, 3}, 1));
    const StreamState before = stream.state();
    for (auto& p : model.parameters()) p.set(p.tensor().value() * 0.5 + 0.1);
    Stream fresh(model, {.sequences = 2});
    fresh.set_state({before.slots, before.steps});
    const Tensor next = numbers({2, 3, 3}, 2);
    CHECK(greatest_difference(stream.push(next), fresh.push(next)) == 0);
  }
}

TEST_CASE("what cannot stream says why and how to go on") {
  Sequential both{Dense{{.units = 3}}, Bidirectional{GRU{{.units = 2, .return_sequences = true}}}};
  both.build(Spec::f64({any, any, 3}).masked(2), Seed{1});
  CHECK_THROWS_WITH_AS(
      Stream{both},
      "Stream: Bidirectional 'bidirectional' does not stream: half of it runs from "
      "the last step to the first; ways out: the layer in it alone, which runs "
      "forward",
      OptionError);
  Sequential normal{BatchNormalization{}};
  normal.build(Spec::f64({any, any, 3}).masked(2), Seed{1});
  CHECK_THROWS_WITH_AS(Stream{normal}, doctest::Contains("Evaluate"), OptionError);
  const Evaluate evaluate;
  CHECK_NOTHROW(Stream{normal});
  CHECK_THROWS_AS(Stream(normal, {.sequences = 0}), OptionError);
  Sequential unbuilt{Dense{{.units = 3}}};
  CHECK_THROWS_AS(Stream{unbuilt}, StateError);
}

TEST_CASE("a stream stays in its mode, and a push that fails changes nothing") {
  auto model = tagger();
  Stream stream(model, {.sequences = 2});
  const Tensor x = numbers({2, 3, 3}, 1);
  {
    const Evaluate evaluate;
    CHECK_THROWS_AS(stream.push(x), StateError);
  }
  const auto before = stream.push(x).shape();
  CHECK_THROWS_AS(stream.push(numbers({3, 3, 3}, 1)), ShapeError);
  CHECK_THROWS_AS(stream.push(numbers({2, 3, 4}, 1)), ShapeError);
  CHECK_THROWS_AS(stream.push(numbers({2, 3, 3}, 1).with_mask(Mask::keep({true, false}, {2}))),
                  ShapeError);
  CHECK(stream.steps(1) == 3);
  CHECK(before == Shape{2, 1, 2});
  CHECK_THROWS_AS(stream.finish(2), IndexError);
  CHECK_THROWS_AS(stream.restart(-1), IndexError);
  CHECK_THROWS_AS(stream.steps(5), IndexError);
  stream.restart(1);
  CHECK(stream.steps(1) == 0);
  CHECK(stream.steps(0) == 3);
}

TEST_CASE("pushes draw the noise of one call, and leave that of other calls as it was") {
  Sequential model{Dropout{{.rate = 0.5}}};
  model.build(Spec::f64({any, any, 4}).masked(2), Seed{1});
  const Tensor x = ones({1, 6, 4}, DType::f64).with_mask(Mask::from_lengths({6}));
  const auto values = [](const Tensor& y) { return y.drop_mask("read").to_vector<double>(); };
  const auto whole = [&] {
    const NoiseScope same;
    return values(model(x));
  }();
  Stream stream(model);
  std::vector<double> pieces;
  std::set<std::vector<double>> others;
  for (std::int64_t t = 0; t < 6; t += 2) {
    for (const double v : values(stream.push(slice(x, 1, t, t + 2)))) pieces.push_back(v);
    others.insert(values(model(x)));
  }
  CHECK(pieces == whole);
  CHECK(others.size() == 3);
  CHECK(others.count(whole) == 0);
}

TEST_CASE("NaN in padding and pieces of nothing reach nothing") {
  auto model = tagger();
  const Evaluate evaluate;
  Stream stream(model, {.sequences = 2});
  const Tensor x =
      concatenate({numbers({1, 6, 3}, 1), full({1, 6, 3}, std::nan(""), DType::f64)}, 0)
          .with_mask(Mask::from_lengths({6, 0}, 6));
  const Tensor y = stream.push(x);
  CHECK(y.mask().lengths() == std::vector<std::int64_t>{2, 0});
  for (int i = 0; i < 3; ++i) {
    CHECK(stream.push(slice(x, 1, 0, 0)).mask().valid() == 0);
  }
  const Tensor last = stream.finish(0);
  CHECK(last.mask().lengths() == std::vector<std::int64_t>{1, 0});
  CHECK(greatest_difference(concatenate({slice(y, 1, 0, 2), last}, 1), model(slice(x, 1, 0, 6))) <=
        1e-12);
}

TEST_CASE("with .batch_invariant bits depend neither on cuts nor on other sequences") {
  Sequential model{TransformerEncoder{{.intermediate_dim = 9,
                                       .num_heads = 3,
                                       .use_causal_mask = true,
                                       .window = 4,
                                       .rotary_max_wavelength = 30}},
                   GRU{{.units = 5, .return_sequences = true}},
                   MaskedConv1D{{.filters = 5, .kernel_size = 3, .padding = "same"}},
                   MaskedMaxPooling1D{{.pool_size = 2}}, Dense{{.units = 7}}};
  model.build(Spec::f32({any, any, 6}).masked(2), Seed{1});
  const Evaluate evaluate;
  const Tensor x = random_normal({3, 11, 6}, Seed{1});
  const auto bits_of = [&](std::int64_t s, std::int64_t n, std::int64_t step) {
    Stream stream(model, {.sequences = n, .batch_invariant = true});
    std::vector<float> bits;
    const auto keep = [&](const Tensor& y) {
      const auto i = n == 1 ? 0 : s;
      const auto length = y.mask().lengths()[static_cast<std::size_t>(i)];
      const Tensor own = slice(slice(y, 0, i, i + 1), 1, 0, length).drop_mask("read");
      for (const float v : own.to_vector<float>()) bits.push_back(v);
    };
    const Tensor own = n == 1 ? slice(x, 0, s, s + 1) : x;
    for (std::int64_t t = 0; t < 11; t += step) {
      keep(stream.push(slice(own, 1, t, std::min<std::int64_t>(11, t + step))));
    }
    keep(stream.finish(n == 1 ? 0 : s));
    return bits;
  };
  for (std::int64_t s = 0; s < 3; ++s) {
    const auto whole = bits_of(s, 3, 11);
    CHECK(whole.size() == 5 * 7);
    CHECK(bits_of(s, 3, 1) == whole);
    CHECK(bits_of(s, 3, 4) == whole);
    CHECK(bits_of(s, 1, 3) == whole);
  }
}

TEST_CASE("a stream of 100,000 steps holds what its windows do, and no more") {
  Sequential model{
      GRU{{.units = 4, .return_sequences = true}},
      MaskedConv1D{{.filters = 4, .kernel_size = 5, .padding = "causal", .dilation_rate = 3}},
      MultiHeadAttention{{.num_heads = 1, .key_dim = 4, .use_causal_mask = true, .window = 20}},
      LinearAttention{{.num_heads = 1, .key_dim = 4, .return_sequences = true}},
      MaskedAveragePooling1D{{.pool_size = 4}}};
  model.build(Spec::f32({any, any, 3}).masked(2), Seed{1});
  const Evaluate evaluate;
  Stream stream(model, {.sequences = 2});
  memory::release_unused();  // what other tests left may fit badly
  memory::reset_high_water();
  const Tensor x = random_normal({2, 50, 3}, Seed{1});
  const auto held_after = [&](int pushes) {
    for (int i = 0; i < pushes; ++i) stream.push(x);
    return memory::stats().bytes_in_use;
  };
  const auto full = held_after(20);
  const auto blocks = memory::stats().heap_allocations;
  CHECK(held_after(2000 - 20) == full);
  CHECK(memory::stats().heap_allocations == blocks);
}

}  // namespace maskgrad::tests::test_stream
