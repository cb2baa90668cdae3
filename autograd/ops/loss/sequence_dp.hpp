#pragma once

#include <cmath>
#include <limits>
#include <string_view>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/pooled.hpp>
#include <maskgrad/core/threads.hpp>

/// What operations on whole sequences are made of (ctc, crf): a result for each sample.
namespace maskgrad::sequence_dp {

inline constexpr double log_of_0 = -std::numeric_limits<double>::infinity();

/// log(exp(a) + exp(b)).
inline double log_add(double a, double b) {
  const double top = a > b ? a : b;
  if (top == log_of_0) return top;
  return top + std::log1p(std::exp((a > b ? b : a) - top));
}

/// The mask [batch] of a result that only samples with `there` have; none where all have it and x
/// came without a mask [batch].
Mask kept(std::string_view op, const Tensor& x, const Pooled<std::uint8_t>& there);
/// The same for tensors without data.
Mask kept_meta(std::string_view op, const Tensor& x);

/// The row of each sample under a result's mask, -1 where it has none.
std::int64_t row_of(const Tensor& result, std::int64_t sample);

/// Calls f(shard, from, to) for parts of the samples, `work` in all; parts depend on the problem
/// alone.
std::int64_t shards(std::int64_t batch, std::int64_t work);
template <class F>
void over_samples(std::int64_t batch, std::int64_t work, F&& f) {
  const auto n = shards(batch, work);
  parallel_for(
      n, [&](std::int64_t s) { f(s, shard_begin(batch, n, s), shard_begin(batch, n, s + 1)); });
}

}  // namespace maskgrad::sequence_dp
