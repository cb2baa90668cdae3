#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_chain_losses {
namespace {

using Ids = std::vector<std::int64_t>;

/// Calls f with every path of `steps` choices among `n`.
void every_path(std::int64_t steps, std::int64_t n, const std::function<void(const Ids&)>& f) {
  Ids path(static_cast<std::size_t>(steps), 0);
  while (true) {
    f(path);
    std::size_t i = 0;
    while (i < path.size() && ++path[i] == n) path[i++] = 0;
    if (i == path.size()) return;
  }
}

/// What a path reads as: repeats merged, blanks dropped.
Ids reading(const Ids& path, std::int64_t blank) {
  Ids read;
  for (std::size_t t = 0; t < path.size(); ++t) {
    if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) read.push_back(path[t]);
  }
  return read;
}

double naive_ctc(const Tensor& logits, const Ids& labels, std::int64_t blank) {
  const Tensor log_p = log_softmax(logits);
  double sum = 0;
  every_path(logits.size(0), logits.size(1), [&](const Ids& path) {
    if (reading(path, blank) != labels) return;
    double score = 0;
    for (std::int64_t t = 0; t < logits.size(0); ++t) {
      score += log_p.item({t, path[static_cast<std::size_t>(t)]});
    }
    sum += std::exp(score);
  });
  return -std::log(sum);
}

TEST_CASE("CTC is the sum over all paths that read as the labels") {
  const Tensor logits = random_normal({5, 3}, Seed{1}, DType::f64);
  for (const auto& labels : {Ids{1}, Ids{1, 2}, Ids{1, 1}, Ids{2, 1, 2}, Ids{1, 1, 2}, Ids{}}) {
    const auto n = static_cast<std::int64_t>(labels.size());
    const Loss loss = ctc(tensor(labels, {1, n}), reshape(logits, {1, 5, 3}));
    CHECK(loss.value() == doctest::Approx(naive_ctc(logits, labels, 0)).epsilon(1e-12));
  }
  const Loss last =
      ctc(tensor<std::int64_t>({0, 1}, {1, 2}), reshape(logits, {1, 5, 3}), {.blank_index = 2});
  CHECK(last.value() == doctest::Approx(naive_ctc(logits, {0, 1}, 2)).epsilon(1e-12));
}

TEST_CASE("CTC runs over valid steps and labels, as if they stood alone") {
  const Tensor logits = random_normal({2, 6, 3}, Seed{1}, DType::f64);
  const Tensor labels = tensor<std::int64_t>({99, 1, -5, 2, 1, 1, 7, 7}, {2, 4});
  const Mask of_labels = Mask::keep({{false, true, false, true}, {false, false, false, false}});
  const Mask steps = Mask::keep(
      {{false, true, true, false, true, true}, {true, true, false, false, false, false}});
  const Loss loss =
      ctc(labels.with_mask(of_labels), logits.with_mask(steps), {.reduction = Reduction::sum});
  const Tensor a = select(logits, 0, 0), b = select(logits, 0, 1);
  const Tensor first = concatenate({slice(a, 0, 1, 3), slice(a, 0, 4, 6)}, 0);
  CHECK(loss.value() ==
        doctest::Approx(naive_ctc(first, {1, 2}, 0) + naive_ctc(slice(b, 0, 0, 2), {}, 0)));
}

TEST_CASE("CTC of long sequences and logits of 1e4 is finite, in f32 too") {
  for (const auto dtype : {DType::f32, DType::f64}) {
    const Tensor logits = cast(1e4 * random_normal({2, 300, 5}, Seed{1}, DType::f64), dtype);
    const Tensor leaf = logits.with_grad();
    const Loss loss = ctc(tensor<std::int64_t>({1, 2, 2, 3, 4, 4}, {2, 3}), leaf);
    CHECK(std::isfinite(loss.value()));
    loss.backward();
    for (double g : cast(leaf.grad(), DType::f64).to_vector<double>()) CHECK(std::isfinite(g));
  }
}

TEST_CASE("CTC does not depend on the number of threads") {
  const Tensor logits = random_normal({16, 50, 20}, Seed{1});
  const Tensor labels = cast(random_uniform({16, 10}, Seed{2}, 1, 20), DType::i64);
  const int before = num_threads();
  std::vector<float> first;
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    const Tensor leaf = logits.with_grad();
    ctc(labels, leaf).backward();
    if (first.empty()) first = leaf.grad().to_vector<float>();
    CHECK(leaf.grad().to_vector<float>() == first);
  }
  set_num_threads(before);
}

TEST_CASE("a sequence that cannot have its labels is refused, or left out on request") {
  const Tensor logits = random_normal({2, 3, 4}, Seed{1}, DType::f64);
  const Tensor labels = tensor<std::int64_t>({1, 2, 3, 3}, {2, 2});
  const Tensor masked = logits.with_mask(Mask::from_lengths({3, 2}));
  CHECK(throws<ShapeError>([&] { ctc(labels, masked); }, "sequence 1 has 2 valid steps for 2",
                           "take 3", "skip_infeasible"));
  const Loss loss = ctc(labels, masked, {.skip_infeasible = true});
  CHECK(loss.count() == 1);
  CHECK(loss.value() ==
        doctest::Approx(ctc(slice(labels, 0, 0, 1), slice(logits, 0, 0, 1)).value()));
  // Nothing at all is no refusal: a sequence without steps does not count.
  CHECK(ctc(labels, logits.with_mask(Mask::from_lengths({3, 0}, 3))).count() == 1);
  CHECK(ctc(labels, logits.with_mask(Mask::from_lengths({0, 0}, 3))).value() == 0);
}

TEST_CASE("CTC refuses what does not fit") {
  const Tensor logits = zeros({1, 3, 4}), labels = tensor<std::int64_t>({1, 2}, {1, 2});
  CHECK(throws<IndexError>(
      [&] {
        ctc(tensor<std::int64_t>({1, 4}, {1, 2}), logits);
      },
      "label 1 of sequence 0 is 4", "0 to 3"));
  CHECK(throws<IndexError>(
      [&] {
        ctc(tensor<std::int64_t>({0, 1}, {1, 2}), logits);
      },
      "not the blank, 0"));
  CHECK(throws<OptionError>([&] { ctc(labels, logits, {.blank_index = 4}); }, "class 4"));
  CHECK(throws<OptionError>([&] { ctc(labels, logits, {.from_logits = false}); }, "from_logits"));
  CHECK(throws<ShapeError>([&] { ctc(labels, zeros({3, 4})); }, "[batch, time, classes]"));
  CHECK(throws<ShapeError>([&] { ctc(labels, zeros({2, 3, 4})); }, "same batch"));
  CHECK(throws<TypeError>([&] { ctc(zeros({1, 2}), logits); }, "ids"));
  const std::vector<bool> all(12, true);
  CHECK(throws<MaskError>(
      [&] {
        ctc(labels, logits.with_mask(Mask::keep(all, {1, 3, 4})));
      },
      "whole steps"));
}

double crf_score(const Tensor& x, const Tensor& transitions, const Ids& path) {
  double score = 0;
  for (std::size_t t = 0; t < path.size(); ++t) {
    score += x.item({static_cast<std::int64_t>(t), path[t]});
    if (t > 0) score += transitions.item({path[t - 1], path[t]});
  }
  return score;
}

TEST_CASE("the CRF's loss and decoding by all paths, through holes") {
  const Tensor all = random_normal({1, 6, 3}, Seed{1}, DType::f64);
  const Tensor transitions = random_normal({3, 3}, Seed{2}, DType::f64);
  const Mask mask = Mask::keep({{true, false, true, true, false, true}});
  const Tensor tags = tensor<std::int64_t>({2, 99, 0, 1, -1, 1}, {1, 6});
  const Tensor steps = select(all, 0, 0);
  const Tensor x =
      concatenate({slice(steps, 0, 0, 1), slice(steps, 0, 2, 4), slice(steps, 0, 5, 6)}, 0);
  double sum = 0, best = -std::numeric_limits<double>::infinity();
  Ids top;
  every_path(4, 3, [&](const Ids& path) {
    const double score = crf_score(x, transitions, path);
    sum += std::exp(score);
    if (score > best) top = path, best = score;
  });
  const Loss loss = crf_loss(tags, all.with_mask(mask), transitions);
  CHECK(loss.value() == doctest::Approx(std::log(sum) - crf_score(x, transitions, {2, 0, 1, 1})));
  const Tensor decoded = crf_decode(all.with_mask(mask), transitions);
  CHECK(decoded.mask() == mask);
  CHECK(decoded.to_vector<std::int64_t>() == Ids{top[0], 0, top[1], top[2], 0, top[3]});
}

TEST_CASE("the CRF with potentials and transitions of 1e4 is finite") {
  for (const auto dtype : {DType::f32, DType::f64}) {
    const Tensor x = cast(1e4 * random_normal({3, 20, 4}, Seed{1}, DType::f64), dtype).with_grad();
    const Tensor w = cast(1e4 * random_normal({4, 4}, Seed{2}, DType::f64), dtype).with_grad();
    const Loss loss = crf_loss(cast(random_uniform({3, 20}, Seed{3}, 0, 4), DType::i64), x, w);
    CHECK(std::isfinite(loss.value()));
    loss.backward();
    for (const auto& g : {x.grad(), w.grad()}) {
      for (double v : cast(g, DType::f64).to_vector<double>()) CHECK(std::isfinite(v));
    }
  }
}

TEST_CASE("a CRF layer learns tags that only their neighbors tell") {
  // Tags go round: 0, 1, 2, 0, ...; the input tells the first one alone.
  std::vector<std::int64_t> tags;
  std::vector<double> input;
  for (std::int64_t s = 0; s < 6; ++s) {
    for (std::int64_t t = 0; t < 5; ++t) {
      tags.push_back((s + t) % 3);
      for (std::int64_t k = 0; k < 3; ++k) input.push_back(t == 0 && k == s % 3);
    }
  }
  const Tensor y = tensor(tags, {6, 5}),
               x = tensor(input, {6, 5, 3}).with_mask(Mask::from_lengths({5, 4, 3, 5, 2, 1}, 5));
  Sequential model{Dense{{.units = 3}}, CRF{}};
  model.build(Spec::f64({any, any, 3}), Seed{1});
  auto* crf = model.layer(1).as<CRF>();
  Adam adam{model.parameters(), {.learning_rate = 0.1}};
  for (int step = 0; step < 100; ++step) {
    crf->loss(y, model(x)).backward();
    CHECK(adam.step().without_gradient.empty());
  }
  const Tensor right = equal(crf->decode(model.predict(x)), y);
  const auto best = crf->decode_best(model.predict(x), 2);
  CHECK(select(best.tags, 1, 0).to_vector<std::int64_t>() ==
        crf->decode(model.predict(x)).to_vector<std::int64_t>());
  CHECK(all_true(greater(select(best.scores, 1, 0), select(best.scores, 1, 1))).to_vector<bool>() ==
        std::vector<bool>{true});
  CHECK(all_true(right).to_vector<bool>() == std::vector<bool>{true});
}

TEST_CASE("the CRF refuses what does not fit") {
  const Tensor x = zeros({1, 3, 4}), w = zeros({4, 4}),
               tags = tensor<std::int64_t>({0, 1, 4}, {1, 3});
  CHECK(throws<IndexError>([&] { crf_loss(tags, x, w); }, "a tag of i64[1, 3] is 4", "0 to 3"));
  CHECK(throws<ShapeError>([&] { crf_loss(tags, x, zeros({4, 3})); }, "transitions f32[4, 3]"));
  CHECK(throws<ShapeError>([&] { crf_loss(tags, zeros({1, 2, 4}), w); }, "tags i64[1, 3]"));
  CHECK(throws<TypeError>([&] { crf_decode(x, zeros({4, 4}, DType::f64)); }, "crf_decode", "f64"));
  CHECK(throws<TypeError>([&] { crf_loss(x, x, w); }, "ids"));
  CRF layer;
  CHECK(throws<ShapeError>([&] { build(layer, Spec::f32({any, 3})); }, "[batch, time, tags]"));
  CHECK(throws<MaskError>(
      [&] {
        build(layer, Spec::f32({any, any, 3}).masked(3));
      },
      "CRF 'crf' does not accept a mask"));
}

}  // namespace
}  // namespace maskgrad::tests::test_chain_losses
