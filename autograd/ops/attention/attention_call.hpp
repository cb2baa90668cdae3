#pragma once

#include <string_view>
#include <vector>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/attention/attention.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/kernels/attention.hpp>

/// What attention and attention_scores share: checks, and who sees whom.
namespace maskgrad::attention_detail {

/// Throws for queries, keys and options that do not fit.
void check_call(std::string_view op, const Tensor& q, const Tensor& k,
                const AttentionOptions& options);

/// Tensors with data; the values are those of the call that its mask leaves.
struct Call {
  Call(std::string_view op, const Tensor& q, const Tensor& k, const AttentionOptions& options);

  /// The keys that query row `r` of sequence `b` sees, by rank.
  std::int64_t first_key(std::int64_t r) const { return limited ? from[r] : 0; }
  std::int64_t end_key(std::int64_t b, std::int64_t r) const {
    return limited ? to[r] : keys.length[b];
  }
  /// The mask [batch, query, key] of all pairs that are seen.
  Mask pairs(std::string_view op, const Tensor& q, const Tensor& k) const;

  /// Without values: for who sees whom alone.
  template <class T>
  kernels::AttentionProblem<T> problem(const Tensor& q, const Tensor& k, const Tensor& bias) const {
    kernels::AttentionProblem<T> p{.batch = q.shape()[0],
                                   .heads = q.shape()[2],
                                   .kv_heads = k.shape()[2],
                                   .dim = q.shape()[3],
                                   .scale = static_cast<T>(scale),
                                   .query_first = queries.first.data(),
                                   .query_count = queries.length.data(),
                                   .key_first = keys.first.data(),
                                   .key_count = keys.length.data(),
                                   .from = limited ? from.data() : nullptr,
                                   .to = limited ? to.data() : nullptr,
                                   .q = rows::of<T>(q).data(),
                                   .k = rows::of<T>(k).data()};
    if (bias.defined()) p.bias = bias_of<T>(bias);
    return p;
  }

  Sequences queries, keys;
  bool limited;                ///< not every query sees every key of its sequence
  Index from, to;              ///< where limited: the keys that a query sees, by rank
  Index query_step, key_step;  ///< with a bias: the step at which each row stands
  double scale;

 private:
  void limit(std::string_view op, const AttentionOptions& options);

  template <class T>
  kernels::AttentionBias<T> bias_of(const Tensor& bias) const {
    std::int64_t strides[4] = {}, stride = 1;
    for (int i = bias.rank() - 1, at = 3; i >= 0; --i, --at) {
      strides[at] = bias.shape()[i] == 1 ? 0 : stride;
      stride *= bias.shape()[i];
    }
    return {.data = rows::of<T>(bias).data(),
            .batch = strides[0],
            .head = strides[1],
            .query = strides[2],
            .key = strides[3],
            .query_step = query_step.data(),
            .key_step = key_step.data()};
  }
};

/// The noise of a call, drawn by where the thread stands now: backward needs the same again.
class CallNoise {
 public:
  CallNoise(double dropout, Seed seed, std::int64_t batch);
  kernels::AttentionNoise get() const { return {.rate = rate_, .sources = sources_.data()}; }

 private:
  double rate_;
  std::vector<extend::NoiseSource> sources_;
};

/// Where the gradient of an input is added up; null where it is not wanted.
template <class T>
T* into(Grads& grads, int input) {
  return grads.wants(input) ? grads.into<T>(input).data() : nullptr;
}

}  // namespace maskgrad::attention_detail
