#include <doctest/doctest.h>

#include <map>

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::tests::test_generate {

using Ids = std::vector<std::int64_t>;

constexpr std::int64_t vocabulary = 7;

Sequential recurrent(std::int64_t ids = vocabulary) {
  Sequential model{Embedding{{.input_dim = ids, .output_dim = 6}},
                   GRU{{.units = 8, .return_sequences = true}}, Dense{{.units = ids}}};
  model.build(Spec::ids({any, any}).masked(2), Seed{4});
  for (auto& p : model.parameters()) p.set(p.tensor().value() * 3.0);  // far from all equal
  return model;
}

Functional attentive() {
  Functional model;
  const auto ids = model.input("ids");
  auto x = model.add(Embedding{{.input_dim = vocabulary, .output_dim = 8}}, {ids});
  x = model.add(Add{}, {x, model.add(PositionEmbedding{{.sequence_length = 40}}, {x})});
  x = model.add(TransformerDecoder{{.intermediate_dim = 16, .num_heads = 2}}, {x});
  x = model.add(
      TransformerEncoder{{.intermediate_dim = 16, .num_heads = 2, .use_causal_mask = true}}, {x});
  model.outputs({model.add(Dense{{.units = vocabulary}}, {x})});
  model.build({Spec::ids({any, any}).masked(2)}, Seed{5});
  for (auto& p : model.parameters()) p.set(p.tensor().value() * 3.0);
  return model;
}

Tensor as_prompts(const std::vector<Ids>& prompts) {
  std::int64_t longest = 0;
  Ids lengths, values;
  for (const auto& p : prompts) longest = std::max(longest, std::ssize(p));
  for (const auto& p : prompts) {
    lengths.push_back(std::ssize(p));
    values.insert(values.end(), p.begin(), p.end());
    values.insert(values.end(), static_cast<std::size_t>(longest - std::ssize(p)), -1);  // padding
  }
  return tensor(values, {std::ssize(prompts), longest})
      .with_mask(Mask::from_lengths(lengths, longest));
}

std::vector<Ids> sequences_in(const Tensor& ids) {
  std::vector<Ids> all;
  const auto dense = ids.drop_mask("read").to_vector<std::int64_t>();
  const auto lengths = ids.mask().lengths();
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    const auto begin = dense.begin() + static_cast<std::int64_t>(s) * ids.shape()[1];
    all.emplace_back(begin, begin + lengths[s]);
  }
  return all;
}

std::vector<Ids> random_prompts(std::size_t count) {
  std::vector<Ids> prompts;
  for (std::size_t i = 0; i < count; ++i) {
    const auto u = [&](std::uint64_t k) { return random::unit_at(Seed{9}, 100 * i + k); };
    Ids ids(1 + static_cast<std::size_t>(u(0) * 9));
    for (std::size_t k = 0; k < ids.size(); ++k) ids[k] = static_cast<std::int64_t>(u(k + 1) * 7);
    prompts.push_back(std::move(ids));
  }
  return prompts;
}

/// The same without anything kept: the whole sequence again for each id.
template <class M>
Ids slowly(M& model, Ids ids, std::int64_t steps) {
  for (std::int64_t i = 0; i < steps; ++i) {
    const Tensor last = select(predict(model, Tensors{as_prompts({ids})})[0], 1, -1);
    const auto logits = last.to_vector<float>();
    ids.push_back(std::max_element(logits.begin(), logits.end()) - logits.begin());
  }
  return ids;
}

TEST_CASE("ids follow ragged prompts as by running all again, alone and together") {
  const auto check = [](auto model) {
    const auto prompts = random_prompts(200);
    const auto together = sequences_in(generate(model, as_prompts(prompts), {.max_steps = 6}));
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      CHECK(together[i] == slowly(model, prompts[i], 6));
      if (i % 10 != 0) continue;
      CHECK(sequences_in(generate(model, as_prompts({prompts[i]}), {.max_steps = 6}))[0] ==
            together[i]);
    }
  };
  check(recurrent());
  check(attentive());
}

TEST_CASE("a beam that is wide enough finds the likeliest of all sequences") {
  auto model = recurrent(3);
  const auto score = [&](const Ids& prompt, const Ids& all) {
    double sum = 0;
    const Tensor log_p = log_softmax(cast(model.predict(as_prompts({all})), DType::f64), -1);
    for (std::size_t k = prompt.size(); k < all.size(); ++k) {
      sum += log_p.item({0, static_cast<std::int64_t>(k) - 1, all[k]});
    }
    return sum;
  };
  const std::vector<Ids> prompts{{0}, {2, 1, 0}, {1, 1}};
  const auto found =
      sequences_in(generate(model, as_prompts(prompts), {.max_steps = 4, .beam = 27}));
  const auto narrow =
      sequences_in(generate(model, as_prompts(prompts), {.max_steps = 4, .beam = 2}));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    double best = -1e300;
    for (int code = 0; code < 81; ++code) {
      Ids all = prompts[i];
      for (int k = 0, c = code; k < 4; ++k, c /= 3) all.push_back(c % 3);
      best = std::max(best, score(prompts[i], all));
    }
    CHECK(score(prompts[i], found[i]) == doctest::Approx(best).epsilon(1e-6));
    CHECK(score(prompts[i], narrow[i]) >= score(prompts[i], slowly(model, prompts[i], 4)) - 1e-6);
  }
}

TEST_CASE("an id of .stop ends its sequence alone") {
  auto model = recurrent();
  const auto prompts = random_prompts(20);
  const auto free = sequences_in(generate(model, as_prompts(prompts), {.max_steps = 8}));
  const std::int64_t stop = free[0][prompts[0].size() + 1];
  for (const std::int64_t beam : {1, 3}) {
    const auto stopped = sequences_in(
        generate(model, as_prompts(prompts), {.max_steps = 8, .beam = beam, .stop = {stop}}));
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const auto begin = stopped[i].begin() + std::ssize(prompts[i]);
      const auto at = std::find(begin, stopped[i].end(), stop);
      CHECK((at == stopped[i].end() || at + 1 == stopped[i].end()));
      if (beam > 1) continue;
      CHECK(stopped[i] == Ids(free[i].begin(), free[i].begin() + std::ssize(stopped[i])));
    }
  }
}

TEST_CASE("draws are those of a seed, a prompt and its turn among equal ones") {
  auto model = recurrent();
  auto prompts = random_prompts(12);
  prompts[5] = prompts[2];
  const GenerateOptions options{.max_steps = 10, .temperature = 1.5, .seed = {3}};
  const auto drawn = sequences_in(generate(model, as_prompts(prompts), options));
  CHECK(drawn == sequences_in(generate(model, as_prompts(prompts), options)));
  CHECK(drawn[5] != drawn[2]);
  CHECK(sequences_in(generate(model, as_prompts({prompts[2]}), options))[0] == drawn[2]);
  GenerateOptions other = options;
  other.seed = {4};
  CHECK(drawn != sequences_in(generate(model, as_prompts(prompts), other)));

  const auto likeliest = sequences_in(generate(model, as_prompts(prompts), {.max_steps = 10}));
  for (const double temperature : {1e-9, 1e-300, 5e-324}) {
    other = options;
    other.temperature = temperature;
    CHECK(sequences_in(generate(model, as_prompts(prompts), other)) == likeliest);
  }
  other = options;
  other.top_k = 1;
  CHECK(sequences_in(generate(model, as_prompts(prompts), other)) == likeliest);
  other = options;
  other.top_p = 1e-9;
  CHECK(sequences_in(generate(model, as_prompts(prompts), other)) == likeliest);
}

TEST_CASE("each id is seen as it comes, and -1 of sequences that have ended") {
  auto model = recurrent();
  const auto prompts = random_prompts(5);
  const auto free = sequences_in(generate(model, as_prompts(prompts), {.max_steps = 6}));
  const std::int64_t stop = free[0][prompts[0].size() + 2];
  std::vector<Ids> seen = prompts;
  GenerateOptions options{.max_steps = 6, .stop = {stop}};
  options.on_step = [&](std::span<const std::int64_t> ids) {
    REQUIRE(ids.size() == seen.size());
    for (std::size_t s = 0; s < ids.size(); ++s) {
      if (ids[s] >= 0) seen[s].push_back(ids[s]);
    }
  };
  CHECK(sequences_in(generate(model, as_prompts(prompts), options)) == seen);
}

TEST_CASE("draws follow the probabilities of the model") {
  auto model = recurrent();
  constexpr std::size_t count = 4000;
  const std::vector<Ids> prompts(count, Ids{1, 2});
  const auto drawn = sequences_in(
      generate(model, as_prompts(prompts), {.max_steps = 1, .temperature = 2, .top_k = 4}));
  std::map<std::int64_t, double> seen;
  for (const auto& ids : drawn) seen[ids[2]] += 1.0 / count;
  const Tensor logits = select(model.predict(as_prompts({{1, 2}})), 1, -1);
  auto values = logits.to_vector<float>();
  std::vector<float> sorted(values);
  std::sort(sorted.rbegin(), sorted.rend());
  double sum = 0;
  for (int k = 0; k < 4; ++k) sum += std::exp(sorted[static_cast<std::size_t>(k)] / 2);
  for (std::size_t id = 0; id < values.size(); ++id) {
    const double p = values[id] >= sorted[3] ? std::exp(values[id] / 2) / sum : 0;
    CHECK(std::abs(seen[static_cast<std::int64_t>(id)] - p) < 0.03);
  }
}

TEST_CASE("what cannot be generated is refused") {
  auto model = recurrent();
  const Tensor good = as_prompts({{1, 2}, {3}});
  CHECK(sequences_in(generate(model, good, {.max_steps = 0})) == std::vector<Ids>{{1, 2}, {3}});
  CHECK_THROWS_AS(generate(model, as_prompts({{1, 2}, {}})), ShapeError);
  CHECK_THROWS_AS(generate(model, zeros({2, 3})), ShapeError);
  CHECK_THROWS_AS(generate(model, good, {.max_steps = -1}), OptionError);
  CHECK_THROWS_AS(generate(model, good, {.temperature = -1}), OptionError);
  CHECK_THROWS_AS(generate(model, good, {.top_p = 0}), OptionError);
  CHECK_THROWS_AS(generate(model, good, {.beam = 0}), OptionError);
  CHECK_THROWS_AS(generate(model, good, {.temperature = 1, .beam = 2}), OptionError);
  CHECK_THROWS_AS(generate(model, good, {.beam = std::int64_t{1} << 62}), ShapeError);
  CHECK_THROWS_WITH_AS(generate(model, good, {.from_logits = false}),
                       doctest::Contains(".from_logits = true"), OptionError);
  for (const std::int64_t beam : {1, 3}) {
    CHECK(generate(model, zeros({0, 3}, DType::i64), {.beam = beam}).shape()[0] == 0);
  }
  Sequential last{Embedding{{.input_dim = 7, .output_dim = 6}}, GRU{{.units = 8}},
                  Dense{{.units = 7}}};
  last.build(Spec::ids({any, any}).masked(2));
  CHECK_THROWS_WITH_AS(generate(last, good), doctest::Contains("a result so far"), OptionError);
  Sequential all{Embedding{{.input_dim = 7, .output_dim = 6}},
                 MultiHeadAttention{{.num_heads = 2, .key_dim = 3}}, Dense{{.units = 7}}};
  all.build(Spec::ids({any, any}).masked(2));
  CHECK_THROWS_WITH_AS(generate(all, good), doctest::Contains(".use_causal_mask = true"),
                       OptionError);
  model.parameters().back().set(full({7}, std::nan("")));
  CHECK_THROWS_WITH_AS(generate(model, good), doctest::Contains("nan"), OptionError);
}

}  // namespace maskgrad::tests::test_generate
