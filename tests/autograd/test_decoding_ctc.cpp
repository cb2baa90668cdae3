#include <maskgrad/autograd/ops/decoding/ctc_decode.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/loss/ctc.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/core/random.hpp>

#include "decoding_paths.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_decoding_ctc {
namespace {

constexpr std::int64_t every = 1 << 20;  // more prefixes than there are

const Mask& odd_masks() {
  static const Mask mask = Mask::keep({{true, true, true, true, true},
                                       {false, true, false, true, true},
                                       {false, false, false, true, true},
                                       {false, false, false, false, false},
                                       {true, false, false, false, false}});
  return mask;
}

/// Sharp enough that results have labels.
Tensor logits_of(const Shape& shape, std::uint64_t seed) {
  return 2.5 * random_normal(shape, Seed{seed}, DType::f64);
}

Tensor with(const Tensor& x, std::size_t at, double value) {
  auto values = x.to_vector<double>();
  values[at] = value;
  return tensor(values, x.shape());
}

}  // namespace

TEST_SUITE("decoding of ctc") {
  TEST_CASE("a beam of all prefixes finds what all paths say") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      for (const std::int64_t classes : {2, 3, 4}) {
        const Tensor x = logits_of({5, 5, classes}, seed).with_mask(odd_masks());
        for (std::int64_t blank = 0; blank < classes; ++blank) {
          CAPTURE(seed);
          CAPTURE(classes);
          CAPTURE(blank);
          const auto decoded =
              ctc_beam_decode(x, {.blank_index = blank, .beam_width = every, .top_paths = 12});
          CHECK(decoded.labels.shape().sub(0, 2) == Shape{5, 12});
          CHECK(decoded.scores.shape() == Shape{5, 12});
          for (std::int64_t b = 0; b < 5; ++b) {
            CAPTURE(b);
            check_same(results_of(decoded, b), sorted(by_all_paths(log_steps(x, b), blank), 12));
          }
        }
      }
    }
  }

  TEST_CASE("the score of a full beam is minus the loss") {
    const Tensor x = logits_of({1, 6, 4}, 7);
    const auto decoded =
        ctc_beam_decode(x, {.blank_index = 3, .beam_width = every, .top_paths = 5});
    for (const auto& [labels, score] : results_of(decoded, 0)) {
      const Tensor y = tensor(labels, {1, static_cast<std::int64_t>(labels.size())});
      CHECK(score == doctest::Approx(-ctc_negative_log_likelihood(y, x, 3).item()).epsilon(1e-12));
    }
  }

  TEST_CASE("a narrow beam keeps what the plain search over whole prefixes keeps") {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      const Tensor x = logits_of({1, 25, 5}, seed);
      for (const std::int64_t width : {1, 2, 3, 5, 9, 40}) {
        CAPTURE(seed);
        CAPTURE(width);
        const auto decoded =
            ctc_beam_decode(x, {.blank_index = 4, .beam_width = width, .top_paths = width});
        const auto n = static_cast<std::size_t>(width);
        check_same(results_of(decoded, 0), sorted(plain_beam(log_steps(x, 0), 4, n), n), 1e-10);
      }
    }
  }

  TEST_CASE("a beam of one sees the label behind one that repeats") {
    // After 1 with and without a blank, each half: staying has 0.35, a second 1 0.25, a 2 0.4.
    const Values p{0, 1, 0, 0.5, 0.5, 0, 0.1, 0.5, 0.4};
    Values logits;
    for (const auto v : p) logits.push_back(std::log(v));
    const auto found = results_of(ctc_beam_decode(tensor(logits, {1, 3, 3}), {.beam_width = 1}), 0);
    check_same(found, {{{1, 2}, std::log(0.4)}});
  }

  TEST_CASE("the greedy path is the likeliest of all paths") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      const Tensor x = logits_of({5, 5, 3}, seed).with_mask(odd_masks());
      for (const std::int64_t blank : {0, 1, 2}) {
        for (const bool merge : {true, false}) {
          const auto [labels, scores] =
              ctc_greedy_decode(x, {.blank_index = blank, .merge_repeated = merge});
          CHECK(scores.mask() == Mask::keep({true, true, true, false, true}, {5}));
          for (std::int64_t b = 0; b < 5; ++b) {
            const auto log_p = log_steps(x, b);
            Scored best{{}, -infinity};
            every_path(static_cast<std::int64_t>(log_p.size()), 3, [&](const Ids& path) {
              const double score = score_of(log_p, path);
              if (score > best.score) best = {reading(path, blank, merge), score};
            });
            Ids own;
            for (std::int64_t i = 0; i < labels.size(1); ++i) {
              if (labels.mask().at({b, i}))
                own.push_back(static_cast<std::int64_t>(labels.item({b, i})));
            }
            CHECK(own == best.labels);
            if (!log_p.empty())
              CHECK(scores.item({b}) == doctest::Approx(best.score).epsilon(1e-12));
          }
        }
      }
    }
  }

  TEST_CASE("merging, blanks and ties of a greedy path") {
    // a a - a b b with the blank 2; the fourth class is as likely at each step, but stands behind.
    const Ids path{0, 0, 2, 0, 1, 1};
    Values values;
    for (const auto at : path) {
      for (std::int64_t c = 0; c < 4; ++c) values.push_back(c == at || c == 3 ? 5 : 0);
    }
    const Tensor x = tensor(values, {1, 6, 4});
    const auto merged = ctc_greedy_decode(x, {.blank_index = 2});
    CHECK(merged.labels.shape() == Shape{1, 3});
    CHECK(merged.labels.to_vector<std::int64_t>() == Ids{0, 0, 1});
    CHECK_FALSE(merged.scores.has_mask());
    const auto all = ctc_greedy_decode(x, {.blank_index = 2, .merge_repeated = false});
    CHECK(all.labels.to_vector<std::int64_t>() == Ids{0, 0, 0, 1, 1});
    CHECK(all.scores.item() == merged.scores.item());
    CHECK(ctc_greedy_decode(x, {.blank_index = 0}).labels.to_vector<std::int64_t>() == Ids{2, 1});
    // Log probabilities are logits too.
    CHECK(ctc_greedy_decode(log_softmax(x), {.blank_index = 2}).scores.item() ==
          doctest::Approx(merged.scores.item()));
  }

  TEST_CASE("equal scores stand in the order of their labels") {
    const auto decoded =
        ctc_beam_decode(zeros({1, 2, 3}, DType::f64), {.beam_width = 20, .top_paths = 20});
    const auto found = results_of(decoded, 0);
    REQUIRE(found.size() == 5);  // 1 and 2 by three paths of nine, the others by one
    CHECK(found[0].labels == Ids{1});
    CHECK(found[1].labels == Ids{2});
    CHECK(found[2].labels == Ids{});
    CHECK(found[3].labels == Ids{1, 2});
    CHECK(found[4].labels == Ids{2, 1});
    CHECK(results_of(ctc_beam_decode(zeros({1, 2, 3}), {.beam_width = 1}), 0)[0].labels == Ids{});
  }

  TEST_CASE("nothing to read is legal") {
    const Tensor blanks = tensor<float>({9, 0, 9, 0}, {1, 2, 2});
    const auto silent = ctc_greedy_decode(blanks);
    CHECK(silent.labels.shape() == Shape{1, 0});
    CHECK(silent.labels.has_mask());
    CHECK_FALSE(silent.scores.has_mask());
    CHECK(ctc_beam_decode(blanks).labels.shape() == Shape{1, 1, 0});
    CHECK_FALSE(ctc_beam_decode(blanks).scores.has_mask());
    const Tensor padding = zeros({2, 3, 4}).with_mask(Mask::from_lengths({0, 0}, 3));
    for (const auto& x : {padding, zeros({2, 0, 4}), zeros({0, 3, 4}), zeros({0, 0, 1})}) {
      const auto greedy = ctc_greedy_decode(x);
      CHECK(greedy.labels.shape() == Shape{x.size(0), 0});
      CHECK(greedy.scores.shape() == Shape{x.size(0)});
      CHECK(greedy.scores.has_mask() == (x.size(0) > 0));
      const auto beam = ctc_beam_decode(x, {.top_paths = 3});
      CHECK(beam.labels.shape() == Shape{x.size(0), 3, 0});
      CHECK(beam.scores.shape() == Shape{x.size(0), 3});
      if (beam.scores.has_mask()) CHECK(beam.scores.mask().valid() == 0);
    }
    // Of one class, the blank, there is one reading.
    CHECK(results_of(ctc_beam_decode(zeros({1, 3, 1}), {.top_paths = 2}), 0).size() == 1);
  }

  TEST_CASE("masks of samples and of no axes") {
    const Tensor x = logits_of({3, 4, 3}, 3);
    const Tensor masked = x.with_mask(Mask::keep({true, false, true}, {3}));
    const auto all = ctc_beam_decode(x, {.top_paths = 2}),
               some = ctc_beam_decode(masked, {.top_paths = 2});
    CHECK(some.scores.mask().shape() == Shape{3, 2});
    for (const std::int64_t b : {0, 2}) check_same(results_of(some, b), results_of(all, b), 0);
    CHECK(results_of(some, 1).empty());
    CHECK(ctc_greedy_decode(masked).scores.mask() == masked.mask());
    for (const bool valid : {true, false}) {
      const Tensor none = x.with_mask(Mask::keep(std::vector<bool>{valid}, {}));
      CHECK(ctc_greedy_decode(none).scores.mask().valid() == (valid ? 3 : 0));
      CHECK(ctc_beam_decode(none).labels.has_mask());
    }
  }

  TEST_CASE("classes that -infinity forbids") {
    Tensor x = logits_of({1, 5, 3}, 4);
    for (const std::size_t at : {0, 4, 6, 7, 10}) x = with(x, at, -infinity);
    for (const std::int64_t blank : {0, 1, 2}) {
      const auto decoded =
          ctc_beam_decode(x, {.blank_index = blank, .beam_width = every, .top_paths = 9});
      check_same(results_of(decoded, 0), sorted(by_all_paths(log_steps(x, 0), blank), 9));
    }
    CHECK(ctc_greedy_decode(x).scores.item() > -infinity);
  }

  TEST_CASE("logits without a softmax are refused, padding is not looked at") {
    const Tensor x = logits_of({2, 3, 4}, 5);
    const auto both = [](const Tensor& given, const std::string& place, const std::string& what) {
      CHECK(throws<OptionError>([&] { ctc_greedy_decode(given); }, "ctc_greedy_decode: " + place,
                                what));
      CHECK(
          throws<OptionError>([&] { ctc_beam_decode(given); }, "ctc_beam_decode: " + place, what));
    };
    both(with(x, 17, NAN), "logits[1, 1, 1] of f64[2, 3, 4] is nan", "no path is the best");
    both(with(x, 3, infinity), "logits[0, 0, 3]", "is inf");
    const Mask two = Mask::keep({{true, true, false}, {false, true, true}});
    both(with(x, 23, NAN).with_mask(two), "logits[1, 2, 3]", "nan");
    Tensor dead = x;
    for (std::size_t c = 4; c < 8; ++c) dead = with(dead, c, -infinity);
    both(dead, "logits[0, 1, 3]", "so are those of the step's other classes");
    const Tensor hidden = with(with(dead, 12, NAN), 5, infinity);
    const Mask behind = Mask::keep({{true, false, true}, {false, true, true}});
    CHECK(ctc_greedy_decode(hidden.with_mask(behind)).scores.to_vector<double>() ==
          ctc_greedy_decode(x.with_mask(behind)).scores.to_vector<double>());
  }

  TEST_CASE("what does not fit is refused") {
    const Tensor x = zeros({2, 3, 4});
    const auto beam = [&](CTCBeamOptions options) {
      return [&x, options] { ctc_beam_decode(x, options); };
    };
    CHECK(throws<OptionError>(beam({.blank_index = 4}),
                              "ctc_beam_decode: the option .blank_index is 4", "f32[2, 3, 4]",
                              "0 to classes - 1"));
    CHECK(throws<OptionError>([&] { ctc_greedy_decode(x, {.blank_index = -1}); },
                              ".blank_index is -1"));
    CHECK(throws<OptionError>(beam({.beam_width = 0}), ".beam_width is 0", "1 or more"));
    CHECK(throws<OptionError>(beam({.top_paths = 0}), ".top_paths is 0"));
    CHECK(throws<OptionError>(beam({.beam_width = 3, .top_paths = 4}),
                              ".top_paths is 4; expected 1 to .beam_width, which is 3"));
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    CHECK(throws<ShapeError>(beam({.beam_width = most, .top_paths = most}), "sequences and paths"));
    CHECK(throws<ShapeError>([&] { ctc_greedy_decode(zeros({3, 4})); }, "[batch, time, classes]"));
    CHECK(throws<TypeError>(
        [&] {
          ctc_beam_decode(zeros({2, 3, 4}, DType::i64));
        },
        "i64[2, 3, 4]"));
    CHECK(throws<MaskError>([&] { ctc_greedy_decode(fully_masked(x)); }, "mask whole steps"));
  }

  TEST_CASE("alone, in a batch, on any number of threads: the same bits") {
    const Tensor x =
        cast(logits_of({12, 60, 30}, 6), DType::f32)
            .with_mask(Mask::from_lengths({60, 1, 0, 33, 60, 7, 8, 59, 2, 41, 60, 60}, 60));
    const CTCBeamOptions options{.beam_width = 20, .top_paths = 4};
    const int before = num_threads();
    std::vector<CTCDecodeResult> all;
    const auto greedy = ctc_greedy_decode(x);
    for (const int threads : {1, 2, 5}) {
      set_num_threads(threads);
      all.push_back(ctc_beam_decode(x, options));
      const auto same = ctc_greedy_decode(x);
      CHECK(same.scores.to_vector<float>() == greedy.scores.to_vector<float>());
      CHECK(same.labels.to_vector<std::int64_t>() == greedy.labels.to_vector<std::int64_t>());
    }
    set_num_threads(before);
    for (std::int64_t b = 0; b < 12; ++b) {
      const auto alone = results_of(ctc_beam_decode(slice(x, 0, b, b + 1), options), 0);
      for (const auto& some : all) check_same(results_of(some, b), alone, 0);
    }
  }

  TEST_CASE("without data") {
    const Tensor x = rows::make_meta({any, any, 5}, DType::f32, masks::meta({any, any}, "a test"));
    const auto greedy = ctc_greedy_decode(x);
    CHECK(greedy.labels.describe().starts_with("i64[any, any], mask [any, any]"));
    CHECK(greedy.scores.shape() == Shape{any});
    const auto beam = ctc_beam_decode(x, {.top_paths = 2});
    CHECK(beam.labels.shape() == Shape{any, 2, any});
    CHECK(beam.scores.dtype() == DType::f32);
    CHECK(masks::is_possible(beam.scores.mask()));
  }
}

}  // namespace maskgrad::tests::test_decoding_ctc
