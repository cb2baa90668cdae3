#include <maskgrad/autograd/ops/decoding/crf_decode_best.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/core/random.hpp>

#include "decoding_paths.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_decoding_crf {
namespace {

Tensor drawn(const Shape& shape, std::uint64_t seed) {
  return random_normal(shape, Seed{seed}, DType::f64);
}

Tensor with(const Tensor& x, std::size_t at, double value) {
  auto values = x.to_vector<double>();
  values[at] = value;
  return tensor(values, x.shape());
}

/// The best of all sequences of tags, by the order that is declared.
std::vector<Scored> by_all_tags(const Tensor& x, const Tensor& w, std::int64_t b, std::size_t n) {
  std::vector<std::int64_t> steps;
  for (std::int64_t t = 0; t < x.size(1); ++t) {
    if (!x.has_mask() || x.mask().at({b, t})) steps.push_back(t);
  }
  std::vector<Scored> all;
  if (steps.empty()) return all;
  every_path(static_cast<std::int64_t>(steps.size()), x.size(2), [&](const Ids& tags) {
    double score = x.item({b, steps[0], tags[0]});
    for (std::size_t k = 1; k < tags.size(); ++k) {
      score = score + w.item({tags[k - 1], tags[k]}) + x.item({b, steps[k], tags[k]});
    }
    if (score > -infinity) all.push_back({Ids(tags.rbegin(), tags.rend()), score});
  });
  all = sorted(all, n);  // turned, so that equal ones stand by their last tags
  for (auto& one : all) std::reverse(one.labels.begin(), one.labels.end());
  return all;
}

std::vector<Scored> results(const CRFDecodeResult& decoded, const Tensor& x, std::int64_t b) {
  std::vector<Scored> all;
  const auto &tags = decoded.tags, &scores = decoded.scores;
  for (std::int64_t k = 0; k < scores.size(1); ++k) {
    const bool there = !scores.has_mask() || scores.mask().at({b, k});
    Ids own;
    for (std::int64_t t = 0; t < tags.size(2); ++t) {
      const bool step = there && (!x.has_mask() || x.mask().at({b, t}));
      CHECK((!tags.has_mask() || tags.mask().at({b, k, t})) == step);
      if (step) own.push_back(static_cast<std::int64_t>(tags.item({b, k, t})));
    }
    if (there) all.push_back({own, scores.item({b, k})});
  }
  return all;
}

}  // namespace

TEST_SUITE("decoding of a crf") {
  TEST_CASE("the n best are those of all sequences of tags") {
    const Mask mask = Mask::keep({{true, true, true, true, true},
                                  {false, true, false, true, true},
                                  {false, false, false, true, true},
                                  {false, false, false, false, false},
                                  {true, false, false, false, false}});
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      for (const std::int64_t tags : {1, 2, 3}) {
        const Tensor w = drawn({tags, tags}, seed + 100);
        for (const Tensor& x :
             {drawn({5, 5, tags}, seed), drawn({5, 5, tags}, seed).with_mask(mask)}) {
          for (const std::int64_t n : {1, 2, 7, 300}) {
            const auto decoded = crf_decode_best(x, w, n);
            CHECK(decoded.tags.shape() == Shape{5, n, 5});
            CHECK(decoded.scores.shape() == Shape{5, n});
            for (std::int64_t b = 0; b < 5; ++b) {
              check_same(results(decoded, x, b), by_all_tags(x, w, b, static_cast<std::size_t>(n)));
            }
          }
        }
      }
    }
  }

  TEST_CASE("equal ones stand by their last tags, and the first is that of crf_decode") {
    const Tensor flat = zeros({1, 3, 3}, DType::f64), none = zeros({3, 3}, DType::f64);
    check_same(results(crf_decode_best(flat, none, 30), flat, 0), by_all_tags(flat, none, 0, 30),
               0);
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      // Whole numbers, so that many are equal.
      const auto whole = [](const Tensor& x) { return cast(cast(2 * x, DType::i64), DType::f64); };
      const Tensor x = whole(drawn({2, 5, 3}, seed)), w = whole(drawn({3, 3}, seed + 50));
      const auto decoded = crf_decode_best(x, w, 9);
      for (std::int64_t b = 0; b < 2; ++b) {
        check_same(results(decoded, x, b), by_all_tags(x, w, b, 9), 0);
      }
      CHECK(slice(decoded.tags, 1, 0, 1).to_vector<std::int64_t>() ==
            crf_decode(x, w).to_vector<std::int64_t>());
    }
  }

  TEST_CASE("forbidden sequences are not among them") {
    const Tensor x = with(drawn({1, 4, 3}, 1), 4, -infinity);
    const Tensor w = with(with(drawn({3, 3}, 2), 1, -infinity), 6, -infinity);
    const auto all = by_all_tags(x, w, 0, 1000);
    CHECK(all.size() < 54);
    check_same(results(crf_decode_best(x, w, 100), x, 0), all);
    const Tensor dead = full({1, 4, 3}, -infinity, DType::f64);
    CHECK(crf_decode_best(dead, w, 2).scores.mask().valid() == 0);
  }

  TEST_CASE("masks come and go as declared") {
    const Tensor x = drawn({2, 3, 2}, 1), w = drawn({2, 2}, 2);
    CHECK_FALSE(crf_decode_best(x, w, 8).tags.has_mask());
    CHECK_FALSE(crf_decode_best(x, w, 8).scores.has_mask());
    CHECK(crf_decode_best(x, w, 9).tags.mask().valid() == 2 * 8 * 3);
    CHECK(crf_decode_best(x, w, 9).scores.mask().valid() == 2 * 8);
    const Tensor some = x.with_mask(Mask::keep({false, true}, {2}));
    CHECK(crf_decode_best(some, w, 2).tags.mask().valid() == 2 * 3);
    CHECK(crf_decode_best(some, w, 2).scores.mask().valid() == 2);
    for (const Tensor& nothing : {zeros({0, 3, 2}, DType::f64), zeros({2, 0, 2}, DType::f64)}) {
      const auto decoded = crf_decode_best(nothing, w, 2);
      CHECK(decoded.tags.shape() == Shape{nothing.size(0), 2, nothing.size(1)});
      CHECK(decoded.scores.has_mask() == (nothing.size(0) > 0));
    }
    const Tensor meta =
        rows::make_meta({any, any, 2}, DType::f64, masks::meta({any, any}, "a test"));
    CHECK(crf_decode_best(meta, w, 3).tags.shape() == Shape{any, 3, any});
    CHECK_FALSE(masks::is_possible(crf_decode_best(meta, w, 3).tags.mask()));
    CHECK(masks::is_possible(crf_decode_best(meta, w, 3).scores.mask()));
  }

  TEST_CASE("what is no number, and what does not fit, is refused") {
    const Tensor x = drawn({2, 3, 3}, 1), w = drawn({3, 3}, 2);
    CHECK(throws<OptionError>([&] { crf_decode_best(with(x, 10, NAN), w, 2); },
                              "crf_decode_best: potentials[1, 0, 1]", "NaN"));
    CHECK(
        throws<OptionError>([&] { crf_decode_best(x, with(w, 5, NAN), 2); }, "transitions[1, 2]"));
    CHECK(throws<OptionError>([&] { crf_decode_best(x, w, 0); }, "crf_decode_best: n is 0"));
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    CHECK(throws<ShapeError>([&] { crf_decode_best(x, w, most); }, "sequences, n and steps"));
    CHECK(throws<ShapeError>(
        [&] {
          crf_decode_best(x, drawn({2, 2}, 1), 1);
        },
        "transitions f64[2, 2]"));
    CHECK(throws<MaskError>([&] { crf_decode_best(fully_masked(x), w, 1); }, "mask whole steps"));
    const Mask hides = Mask::keep({{true, true, true}, {false, true, true}});
    CHECK(crf_decode_best(with(x, 10, NAN).with_mask(hides), w, 2).scores.item({1, 0}) ==
          crf_decode_best(x.with_mask(hides), w, 2).scores.item({1, 0}));
  }

  TEST_CASE("alone, in a batch, on any number of threads: the same bits") {
    const Tensor x = cast(drawn({9, 50, 12}, 3), DType::f32)
                         .with_mask(Mask::from_lengths({50, 1, 0, 33, 50, 7, 8, 49, 2}, 50));
    const Tensor w = cast(drawn({12, 12}, 4), DType::f32);
    const int before = num_threads();
    for (const int threads : {1, 2, 5}) {
      set_num_threads(threads);
      const auto all = crf_decode_best(x, w, 6);
      for (std::int64_t b = 0; b < 9; ++b) {
        const Tensor own = slice(x, 0, b, b + 1);
        check_same(results(all, x, b), results(crf_decode_best(own, w, 6), own, 0), 0);
      }
    }
    set_num_threads(before);
  }
}

}  // namespace maskgrad::tests::test_decoding_crf
