#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/autograd/ops/attention/attention.hpp>
#include <maskgrad/autograd/ops/linear/batched_matmul.hpp>
#include <maskgrad/autograd/ops/linear/einsum.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/loss/binary_cross_entropy.hpp>
#include <maskgrad/autograd/ops/loss/crf.hpp>
#include <maskgrad/autograd/ops/loss/cross_entropy.hpp>
#include <maskgrad/autograd/ops/loss/ctc.hpp>
#include <maskgrad/autograd/ops/sequence/causal_convolution.hpp>
#include <maskgrad/autograd/ops/sequence/linear_recurrence.hpp>
#include <maskgrad/autograd/ops/sequence/positions.hpp>
#include <maskgrad/autograd/ops/sequence/recurrent.hpp>
#include <maskgrad/autograd/ops/sequence/segment.hpp>
#include <maskgrad/autograd/ops/sequence/selective_scan.hpp>
#include <maskgrad/autograd/ops/sequence/windows.hpp>

#include "calls.hpp"

namespace maskgrad::tests {
namespace in_calls_sequences {

using Inputs = std::vector<Tensor>;

const RecordedCall products[] = {
    {"matmul", "", [](const Inputs& x) { return matmul(x[0], x[1]); }},
    {"matmul", "with a bias", [](const Inputs& x) { return matmul(x[0], x[1], x[2]); }},
    {"batched_matmul", "", [](const Inputs& x) { return batched_matmul(x[0], x[1]); }},
    {"batched_matmul", "both transposed",
     [](const Inputs& x) { return batched_matmul(x[0], x[1], true, true); }},
    {"sparse_cross_entropy", "",
     [](const Inputs& x) { return detail::sparse_cross_entropy(x[0], x[1]); }},
    {"binary_cross_entropy", "",
     [](const Inputs& x) { return detail::binary_cross_entropy(x[0], x[1]); }},
};

const RecordedCall along_steps[] = {
    {"positions", "from 2", [](const Tensor& x) { return positions(x, 2); }},
    {"sine_positions", "1, 0.25, from 1",
     [](const Tensor& x) {
       return sine_positions(x, {1, 0.25}, 1);
     }},
    {"rotate_by_position", "1, 0.25, from 1",
     [](const Tensor& x) {
       return rotate_by_position(x, {1, 0.25}, 1);
     }},
    {"segment_sum", "3", [](const Inputs& x) { return segment_sum(x[0], x[1], 3); }},
    {"segment_mean", "3", [](const Inputs& x) { return segment_mean(x[0], x[1], 3); }},
    {"segment_max", "3", [](const Inputs& x) { return segment_max(x[0], x[1], 3); }},
    {"segment_min", "3", [](const Inputs& x) { return segment_min(x[0], x[1], 3); }},
    {"crf_negative_log_likelihood", "",
     [](const Inputs& x) { return crf_negative_log_likelihood(x[0], x[1], x[2]); }},
    {"crf_decode", "", [](const Inputs& x) { return crf_decode(x[0], x[1]); }},
    {"ctc_negative_log_likelihood", "blank 0",
     [](const Inputs& x) { return ctc_negative_log_likelihood(x[0], x[1], 0); }},
};

void add_attention(std::vector<RecordedCall>& calls) {
  const auto put = [&](const char* variant, AttentionOptions options) {
    calls.push_back({"attention", variant, [=](const Inputs& x) mutable {
                       if (x.size() > 3) options.bias = x[3];
                       return attention(x[0], x[1], x[2], options);
                     }});
    calls.push_back({"attention_scores", variant, [=](const Inputs& x) mutable {
                       if (x.size() > 2) options.bias = x[2];
                       return attention_scores(x[0], x[1], options);
                     }});
  };
  put("", {});
  put("causal, scale 0.3", {.scale = 0.3, .causal = true});
  put("window 1", {.window = 1});
  put("bias", {});
  for (const bool causal : {false, true}) {
    const AdditiveAttentionOptions options{.causal = causal};
    const char* variant = causal ? "causal" : "";
    calls.push_back({"additive_attention", variant, [=](const Inputs& x) {
                       return additive_attention(x[0], x[1], x[2], x[3], options);
                     }});
    calls.push_back({"additive_attention_scores", variant, [=](const Inputs& x) {
                       return additive_attention_scores(x[0], x[1], x[2], options);
                     }});
  }
}

void add_recurrent(std::vector<RecordedCall>& calls) {
  using kernels::Cell;
  const auto put = [&](const char* variant, Cell cell, bool reset_after, bool backwards) {
    calls.push_back({"recurrent", variant, [=](const Inputs& x) {
                       const bool lstm = cell == Cell::lstm;
                       const RecurrentState initial{x[4], lstm ? x[5] : Tensor()};
                       const auto [output, state] = recurrent(cell, reset_after, backwards, x[0],
                                                              {x[1], x[2], x[3]}, initial);
                       return lstm ? Inputs{output, state.h, state.c} : Inputs{output, state.h};
                     }});
  };
  put("simple", Cell::simple_rnn, false, false);
  put("GRU", Cell::gru, false, false);
  put("GRU, reset after", Cell::gru, true, false);
  put("LSTM", Cell::lstm, false, false);
  put("LSTM, backwards", Cell::lstm, false, true);
}

void add_linear_recurrences(std::vector<RecordedCall>& calls) {
  for (const bool backwards : {false, true}) {
    const char* variant = backwards ? "backwards" : "";
    calls.push_back({"linear_recurrence", variant, [=](const Inputs& x) {
                       return linear_recurrence(x[0], x[1], {.backwards = backwards});
                     }});
    calls.push_back({"linear_recurrence_with_state", variant, [=](const Inputs& x) {
                       const auto [output, state] = linear_recurrence_with_state(
                           x[0], x[1], {.initial = x[2], .backwards = backwards});
                       return Inputs{output, state};
                     }});
    calls.push_back({"selective_scan", variant, [=](const Inputs& x) {
                       const auto [output, state] = selective_scan(
                           x[0], x[1], x[2], x[3], x[4], {.initial = x[5], .backwards = backwards});
                       return Inputs{output, state};
                     }});
    calls.push_back({"causal_convolution", variant, [=](const Inputs& x) {
                       const auto [output, state] = causal_convolution(
                           x[0], x[1], {.initial = x[2], .backwards = backwards});
                       return Inputs{output, state};
                     }});
  }
}

}  // namespace in_calls_sequences

std::vector<RecordedCall> sequence_calls() {
  using namespace in_calls_sequences;
  std::vector<RecordedCall> calls(std::begin(products), std::end(products));
  calls.insert(calls.end(), std::begin(along_steps), std::end(along_steps));
  for (const char* formula : {"ij,kj->ik", "ij,ij->", "i,j->ij", "bti,ij->btj", "ijk->kj"}) {
    calls.push_back({"einsum", formula, [=](const Inputs& x) { return einsum(formula, x); }});
  }
  const auto put = [&](const char* variant, const WindowOptions& options) {
    calls.push_back({"windows", variant, [=](const Tensor& x) { return windows(x, options); }});
  };
  put("3, same", {.width = 3, .padding = Padding::same});
  put("2, causal, dilated", {.width = 2, .padding = Padding::causal, .dilation = 2});
  put("2, strided", {.width = 2, .stride = 2});
  put("3, same, strided", {.width = 3, .stride = 2, .padding = Padding::same});
  add_attention(calls);
  add_recurrent(calls);
  add_linear_recurrences(calls);
  return calls;
}

}  // namespace maskgrad::tests
