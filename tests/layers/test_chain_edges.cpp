#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/maskgrad.hpp>

#include "odd_values.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_chain_edges {
namespace {

/// x with value i replaced.
Tensor with(const Tensor& x, std::size_t i, double value) {
  Values all = values(x);
  all[i] = value;
  return cast(tensor(all, x.shape()), x.dtype());
}

TEST_CASE("one NaN or +infinity among a CRF's scores makes its loss NaN, wherever it stands") {
  const Tensor tags = cast(random_uniform({2, 7}, Seed{1}, 0, 5), DType::i64);
  for (const auto dtype : {DType::f32, DType::f64}) {
    const Tensor x = random_normal({2, 7, 5}, Seed{2}, dtype),
                 w = random_normal({5, 5}, Seed{3}, dtype);
    for (const double bad : {nan, infinity}) {
      for (std::size_t i = 0; i < 70; ++i) {
        const Tensor scores = with(x, i, bad).with_grad();
        const Loss loss = crf_loss(tags, scores, w, {.reduction = Reduction::sum});
        CHECK(std::isnan(loss.value()));
        const Values each = values(loss.positions());
        CHECK(std::isnan(each[i / 35]));
        CHECK(std::isfinite(each[1 - i / 35]));  // the other sequence has a loss of its own
      }
      for (std::size_t i = 0; i < 25; ++i) {
        CHECK(std::isnan(crf_loss(tags, x, with(w, i, bad)).value()));
      }
    }
  }
  // Transitions are not read where a sequence has one step.
  const Tensor one = random_normal({1, 1, 5}, Seed{2}), bad = full({5, 5}, nan);
  CHECK(std::isfinite(crf_loss(zeros({1, 1}, DType::i64), one, bad).value()));
  CHECK(crf_decode(one, bad).size(1) == 1);
}

TEST_CASE("no path is decoded from NaN") {
  const Tensor x = random_normal({2, 3, 4}, Seed{1}), w = random_normal({4, 4}, Seed{2});
  CHECK(throws<OptionError>([&] { crf_decode(with(x, 17, nan), w); }, "crf_decode",
                            "potentials[1, 1, 1] of f32[2, 3, 4] is NaN"));
  CHECK(throws<OptionError>([&] { crf_decode(x, with(w, 6, nan)); }, "transitions[1, 2]"));
  CHECK(throws<OptionError>([&] { crf_decode(full({1, 2, 4}, nan), w); }, "potentials[0, 0, 0]"));
  const Mask hides = Mask::keep({{true, true, true}, {true, false, true}});
  CHECK(crf_decode(with(x, 17, nan).with_mask(hides), w).has_mask());
}

TEST_CASE("-infinity forbids tags and transitions: loss and gradients are those of what is left") {
  const Tensor tags = tensor<std::int64_t>({0, 2, 2, 0}, {1, 4});
  const Tensor x = random_normal({1, 4, 3}, Seed{1}, DType::f64);
  const Tensor w = random_normal({3, 3}, Seed{2}, DType::f64);
  const auto run = [&](double never) {
    const Tensor scores = with(with(x, 1, never), 4, never).with_grad();
    const Tensor links = with(with(w, 1, never), 5, never).with_grad();
    const Loss loss = crf_loss(tags, scores, links);
    loss.backward();
    Values all{loss.value()};
    for (const double g : values(scores.grad())) all.push_back(g);
    for (const double g : values(links.grad())) all.push_back(g);
    return all;
  };
  const Values dead = run(-infinity), low = run(-1e4);
  for (std::size_t i = 0; i < dead.size(); ++i) CHECK(dead[i] == doctest::Approx(low[i]));
  CHECK(dead[1 + 1] == 0);
  CHECK(dead[1 + 12 + 1] == 0);
  // What is forbidden altogether has no likelihood; a forbidden truth one of 0.
  const Tensor none = concatenate({full({1, 1, 3}, -infinity, DType::f64), x}, 1);
  CHECK(throws<OptionError>(
      [&] {
        crf_loss(zeros({1, 5}, DType::i64), none, w);
      },
      "sequence 0 has no likelihood", "its 5 valid steps"));
  CHECK(throws<OptionError>(
      [&] {
        crf_loss(tags, x, full({3, 3}, -infinity, DType::f64));
      },
      "no likelihood"));
  CHECK(crf_loss(tags, with(x, 0, -infinity), w).value() == infinity);
}

TEST_CASE("CTC of labels that logits of -infinity forbid is refused, or skipped and counted") {
  const Tensor labels = tensor<std::int64_t>({1, 2, 3, 2}, {2, 2});
  const Tensor some = random_normal({2, 4, 4}, Seed{1}, DType::f64);
  Tensor x = some;
  for (std::size_t t = 0; t < 4; ++t) x = with(x, t * 4 + 1, -infinity);  // label 1 of sequence 0
  CHECK(throws<ShapeError>([&] { ctc(labels, x); }, "sequence 0 cannot have its 2 labels",
                           "-infinity", "4 valid steps", "skip_infeasible"));
  const Tensor leaf = x.with_grad();
  const Loss loss = ctc(labels, leaf, {.skip_infeasible = true});
  CHECK(loss.count() == 1);
  CHECK(loss.skipped() == 1);
  CHECK(loss.str() == "ctc (mean over 1 positions); 1 sequences skipped as infeasible");
  CHECK(loss.value() == ctc(slice(labels, 0, 1, 2), slice(some, 0, 1, 2)).value());
  loss.backward();
  CHECK(finite(leaf.grad()));
  CHECK(sum(abs(slice(leaf.grad(), 0, 0, 1))).item() == 0);
  // Steps of nothing but -infinity are no way through either, and too few steps count as before.
  const Tensor dead = full({2, 4, 4}, -infinity, DType::f64);
  CHECK((ctc(labels, dead, {.skip_infeasible = true}) + loss).skipped() == 3);
  CHECK(ctc(labels, slice(some, 1, 0, 1), {.skip_infeasible = true}).skipped() == 2);
  CHECK(ctc(labels, some, {.skip_infeasible = true}).skipped() == 0);
  // A class that is no label may be forbidden, and so may a label where another step can have it.
  for (const std::size_t i : {3U, 1U, 13U}) {
    const Tensor forbidden = with(some, i, -infinity).with_grad();
    const Loss there = ctc(labels, forbidden);
    there.backward();
    CHECK(std::isfinite(there.value()));
    CHECK(finite(forbidden.grad()));
    CHECK(values(forbidden.grad())[i] == 0);
  }
}

TEST_CASE("one NaN among CTC's logits makes the sequence's loss NaN, wherever it stands") {
  const Tensor labels = tensor<std::int64_t>({1, 2, 3, 2}, {2, 2});
  for (const auto dtype : {DType::f32, DType::f64}) {
    const Tensor x = random_normal({2, 5, 9}, Seed{1}, dtype);
    for (const double bad : {nan, infinity}) {
      for (std::size_t i = 0; i < 90; ++i) {
        const Tensor scores = with(x, i, bad).with_grad();
        const Loss loss = ctc(labels, scores, {.skip_infeasible = true});
        const Values each = values(loss.positions());
        REQUIRE(each.size() == 2);
        CHECK(std::isnan(each[i / 45]));
        CHECK(std::isfinite(each[1 - i / 45]));
      }
    }
  }
}

TEST_CASE("a sequence whose loss has the gradient 0 is not read backward") {
  const Tensor tags = zeros({2, 3}, DType::i64), w = random_normal({4, 4}, Seed{2}).with_grad();
  const Tensor labels = tensor<std::int64_t>({1, 2}, {2, 1});
  const Tensor x = with(random_normal({2, 3, 4}, Seed{1}), 2, nan);
  const Tensor of_crf = x.with_grad(), of_ctc = x.with_grad(), of_rows = x.with_grad();
  const auto second = [](const Tensor& all) { return slice(all, 0, 1, 2); };
  const auto pull = [&](const Tensor& all) { sum(second(all)).backward(); };
  pull(crf_loss(tags, of_crf, w).positions());
  pull(ctc(labels, of_ctc).positions());
  pull(sparse_categorical_crossentropy(tags, of_rows).positions());
  for (const auto& g : {of_crf.grad(), w.grad(), of_ctc.grad(), of_rows.grad()}) {
    CHECK(finite(g));
    CHECK(sum(abs(g)).item() > 0);
  }
  CHECK(sum(abs(slice(of_crf.grad(), 0, 0, 1))).item() == 0);
}

}  // namespace
}  // namespace maskgrad::tests::test_chain_edges
