#include <maskgrad/autograd/ops/decoding/crf_decode_best.hpp>
#include <maskgrad/autograd/ops/decoding/ctc_decode.hpp>
#include <maskgrad/autograd/ops/loss/binary_cross_entropy.hpp>
#include <maskgrad/autograd/ops/loss/crf.hpp>
#include <maskgrad/autograd/ops/loss/cross_entropy.hpp>
#include <maskgrad/autograd/ops/loss/ctc.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace in_cases_loss {

using Inputs = std::vector<Tensor>;
using enum InputKind;

constexpr MaskContract whole_sequences{.role = MaskRole::consumes,
                                       .why = "one loss for each sequence",
                                       .sample_role = MaskRole::supports,
                                       .full_role = MaskRole::unsupported};

/// Decoders: a case for labels and one for scores, as their masks differ.
void add_decoders(std::vector<OpCase>& cases) {
  const MaskContract labels{.role = MaskRole::produces,
                            .why = "the numbers of labels",
                            .sample_role = MaskRole::produces,
                            .full_role = MaskRole::unsupported};
  const auto put = [&](const char* op, const char* variant, Callable f,
                       const MaskContract& contract) {
    cases.push_back({.op = op,
                     .variant = variant,
                     .f = std::move(f),
                     .inputs = {{{4}}},
                     .contract = contract,
                     .gradient = false});
  };
  const CTCBeamOptions beam{.beam_width = 8, .top_paths = 3};
  put(
      "ctc_greedy_decode", "labels", [](const Tensor& x) { return ctc_greedy_decode(x).labels; },
      labels);
  put(
      "ctc_greedy_decode", "scores", [](const Tensor& x) { return ctc_greedy_decode(x).scores; },
      whole_sequences);
  put(
      "ctc_beam_decode", "labels", [=](const Tensor& x) { return ctc_beam_decode(x, beam).labels; },
      labels);
  put(
      "ctc_beam_decode", "scores", [=](const Tensor& x) { return ctc_beam_decode(x, beam).scores; },
      whole_sequences);
  cases.push_back({.op = "crf_decode_best",
                   .variant = "tags",
                   .f = [](const Inputs& x) { return crf_decode_best(x[0], x[1], 3).tags; },
                   .inputs = {{{4}}, {{4, 4}, shared}},
                   .contract = {.role = MaskRole::supports,
                                .why = "the likeliest paths through each sequence",
                                .full_role = MaskRole::unsupported},
                   .gradient = false});
  cases.push_back({.op = "crf_decode_best",
                   .variant = "scores",
                   .f = [](const Inputs& x) { return crf_decode_best(x[0], x[1], 3).scores; },
                   .inputs = {{{4}}, {{4, 4}, shared}},
                   .contract = whole_sequences,
                   .gradient = false});
}

}  // namespace in_cases_loss

std::vector<OpCase> loss_op_cases() {
  using namespace in_cases_loss;
  std::vector<OpCase> cases;
  cases.push_back({.op = "binary_cross_entropy",
                   .f = [](const Inputs& x) { return detail::binary_cross_entropy(x[0], x[1]); },
                   .inputs = {{{3}, sequences, Draw::unit}, {{3}}},
                   .contract = {.role = MaskRole::propagates, .why = "one loss for each value"}});
  cases.push_back({.op = "ctc_negative_log_likelihood",
                   .f =
                       [](const Inputs& x) {
                         return ctc_negative_log_likelihood(x[0], x[1], 5, Infeasible::skip);
                       },
                   .inputs = {{{2}, samples, Draw::ids}, {{6}}},
                   .contract = whole_sequences});
  cases.push_back(
      {.op = "crf_negative_log_likelihood",
       .f = [](const Inputs& x) { return crf_negative_log_likelihood(x[0], x[1], x[2]); },
       .inputs = {{{}, covered, Draw::ids}, {{5}}, {{5, 5}, shared}},
       .contract = whole_sequences});
  cases.push_back({.op = "crf_decode",
                   .f = [](const Inputs& x) { return crf_decode(x[0], x[1]); },
                   .inputs = {{{4}}, {{4, 4}, shared}},
                   .contract = {.role = MaskRole::supports,
                                .why = "the likeliest path through each sequence",
                                .full_role = MaskRole::unsupported},
                   .gradient = false});
  add_decoders(cases);
  cases.push_back({.op = "sparse_cross_entropy",
                   .f = [](const Inputs& x) { return detail::sparse_cross_entropy(x[0], x[1]); },
                   .inputs = {{{}, sequences, Draw::ids}, {{5}}},
                   .contract = {.role = MaskRole::propagates,
                                .why = "one loss for each row",
                                .full_role = MaskRole::unsupported}});
  return cases;
}

}  // namespace maskgrad::tests
