#include <stdexcept>
#include <thread>

#include <maskgrad/autograd/ops/decoding/ctc_decode.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/core/random.hpp>

#include "decoding_paths.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_decoding_scorer {
namespace {

using Prefix = std::span<const std::int64_t>;

constexpr std::int64_t every = 1 << 20;

/// A model of pairs of labels, unlike for each place, and of ends.
CTCScorer pairs(double factor) {
  return {.append =
              [=](Prefix prefix, std::int64_t label) {
                const auto last = prefix.empty() ? 7 : prefix.back();
                return factor * std::sin(static_cast<double>(3 * last + 5 * label) +
                                         static_cast<double>(prefix.size()));
              },
          .end =
              [=](Prefix labels) {
                return factor * std::cos(static_cast<double>(labels.size()) * 1.7);
              }};
}

Tensor logits_of(const Shape& shape, std::uint64_t seed) {
  return 2 * random_normal(shape, Seed{seed}, DType::f64);
}

}  // namespace

TEST_SUITE("decoding with a scorer") {
  TEST_CASE("a beam of all prefixes finds what all paths say") {
    const Mask holes =
        Mask::keep({{true, true, true, true, true}, {false, true, false, true, true}});
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Tensor x = logits_of({2, 5, 3}, seed).with_mask(holes);
      for (const std::int64_t blank : {0, 2}) {
        for (const double factor : {0.1, 1.0, 5.0}) {
          const auto scorer = pairs(factor);
          for (const auto& own :
               {scorer, CTCScorer{.append = scorer.append}, CTCScorer{.end = scorer.end}}) {
            const auto decoded = ctc_beam_decode(
                x, {.blank_index = blank, .beam_width = every, .top_paths = 15, .scorer = own});
            for (std::int64_t b = 0; b < 2; ++b) {
              check_same(results_of(decoded, b),
                         sorted(by_all_paths(log_steps(x, b), blank, own), 15));
            }
          }
        }
      }
    }
  }

  TEST_CASE("a narrow beam keeps what the plain search over whole prefixes keeps") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      const Tensor x = logits_of({1, 15, 4}, seed);
      for (const std::int64_t width : {1, 2, 4, 12}) {
        CAPTURE(seed);
        CAPTURE(width);
        const auto decoded =
            ctc_beam_decode(x, {.beam_width = width, .top_paths = width, .scorer = pairs(1.5)});
        const auto n = static_cast<std::size_t>(width);
        check_same(results_of(decoded, 0), sorted(plain_beam(log_steps(x, 0), 0, n, pairs(1.5)), n),
                   1e-10);
      }
    }
  }

  TEST_CASE("a scorer of zeros changes nothing") {
    const Tensor x = logits_of({2, 30, 20}, 1);
    const CTCScorer nothing{.append = [](Prefix, std::int64_t) { return 0.0; },
                            .end = [](Prefix) { return 0.0; }};
    const auto with = ctc_beam_decode(x, {.beam_width = 7, .top_paths = 7, .scorer = nothing});
    const auto without = ctc_beam_decode(x, {.beam_width = 7, .top_paths = 7});
    for (std::int64_t b = 0; b < 2; ++b) check_same(results_of(with, b), results_of(without, b), 0);
  }

  TEST_CASE("what a scorer forbids is no result") {
    const Tensor x = logits_of({1, 4, 3}, 2);
    const CTCScorer rising{.append = [](Prefix prefix, std::int64_t label) {
      return !prefix.empty() && label <= prefix.back() ? -infinity : 0;
    }};
    const auto decoded = ctc_beam_decode(x, {.top_paths = 10, .scorer = rising});
    const auto found = results_of(decoded, 0);
    CHECK(found.size() == 4);  // nothing, 1, 2 and 1 2
    check_same(found, sorted(by_all_paths(log_steps(x, 0), 0, rising), 10));
    const CTCScorer two{.end = [](Prefix labels) { return labels.size() == 2 ? 0 : -infinity; }};
    for (const auto& [labels, score] :
         results_of(ctc_beam_decode(x, {.top_paths = 10, .scorer = two}), 0)) {
      CHECK(labels.size() == 2);
    }
    const CTCScorer none{.end = [](Prefix) { return -infinity; }};
    CHECK(results_of(ctc_beam_decode(x, {.scorer = none}), 0).empty());
    // Where no blank is likely, no label allowed, the beam is empty in mid-sequence.
    const Tensor loud = tensor<double>({-infinity, 0, 1, 0}, {1, 2, 2});
    const CTCScorer silent{.append = [](Prefix, std::int64_t) { return -infinity; }};
    CHECK(results_of(ctc_beam_decode(loud, {.scorer = silent}), 0).empty());
  }

  TEST_CASE("what it is told, in this thread and once while a prefix stays") {
    Tensor x = logits_of({3, 40, 6}, 3);
    x = concatenate({x, full({3, 40, 2}, -infinity, DType::f64)}, 2);
    const auto here = std::this_thread::get_id();
    std::map<std::pair<Ids, std::int64_t>, int> asked;
    Ids last{-1};
    std::int64_t turns = 0;
    const CTCScorer scorer{.append = [&](Prefix prefix, std::int64_t label) {
      CHECK(std::this_thread::get_id() == here);
      CHECK((label > 0 && label < 6));
      const Ids own(prefix.begin(), prefix.end());
      turns += own != last;
      last = own;
      ++asked[{own, label}];
      return -0.1;
    }};
    ctc_beam_decode(x, {.beam_width = 8, .scorer = scorer});
    std::int64_t calls = 0;
    for (const auto& entry : asked) calls += entry.second;
    CHECK(2 * turns < calls);  // labels of one prefix one after the other
    // Once while a prefix stays in the beam: those that came back into it are asked for again.
    CHECK(calls < static_cast<std::int64_t>(asked.size()) * 3 / 2);
    CHECK(asked.size() > 200);
  }

  TEST_CASE("weights that are none, and errors of its own, come out") {
    const Tensor x = logits_of({2, 3, 3}, 4);
    for (const double bad : {static_cast<double>(NAN), infinity}) {
      const CTCScorer append{.append = [=](Prefix, std::int64_t) { return bad; }};
      const CTCScorer end{.end = [=](Prefix) { return bad; }};
      CHECK(throws<OptionError>([&] { ctc_beam_decode(x, {.scorer = append}); },
                                "ctc_beam_decode: ", ".scorer.append gives",
                                "-infinity to forbid"));
      CHECK(throws<OptionError>([&] { ctc_beam_decode(x, {.scorer = end}); }, ".scorer.end gives"));
    }
    const CTCScorer thrower{
        .append = [](Prefix, std::int64_t) -> double { throw std::runtime_error("no such word"); }};
    CHECK_THROWS_AS(ctc_beam_decode(x, {.scorer = thrower}), std::runtime_error);
  }
}

}  // namespace maskgrad::tests::test_decoding_scorer
