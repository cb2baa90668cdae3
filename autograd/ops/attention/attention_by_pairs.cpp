#include <maskgrad/autograd/ops/attention/attention_by_pairs.hpp>

#include <limits>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/linear/batched_matmul.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/repeat.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/core/kernels/attention_tile.hpp>

namespace maskgrad::attention_detail {
namespace {

/// 1 / (1 - rate) or 0 for each pair, by head; undefined without dropout.
Tensor dropped(const CallNoise& noise, const Call& call, const Tensor& q, const Tensor& k,
               const Shape& shape) {
  if (noise.get().rate == 0) return {};
  const Tensor factors = rows::make_zeros(shape, q.dtype());
  const Index query_at = step_of_rows(q), key_at = step_of_rows(k);
  dispatch_real("attention", q.dtype(), [&]<class T>() {
    auto p = call.problem<T>(q, k, {});
    p.noise = noise.get();
    T* to = rows::of_mutable<T>(factors).data();
    for (std::int64_t b = 0; b < p.batch; ++b) {
      const auto count = p.key_count[b];
      Pooled<T> line(count);
      std::fill(line.begin(), line.end(), T(0));
      for (std::int64_t h = 0; h < p.heads; ++h) {
        for (auto r = p.query_first[b]; r < p.query_first[b] + p.query_count[b]; ++r) {
          kernels::attention_detail::Tile<T>{p, b, h, r, 1, p.key_first[b], count}.noise(
              0, line.data());
          T* row = to + ((b * shape[1] + h) * shape[2] + query_at[r]) * shape[3];
          for (std::int64_t j = 0; j < count; ++j) row[key_at[p.key_first[b] + j]] = line[j];
        }
      }
    }
  });
  return factors;
}

}  // namespace

Tensor by_heads(const Tensor& x, std::int64_t times) {
  const Tensor dense = x.has_mask() ? drop_mask(x, "pairs that are not there are left out") : x;
  const Tensor heads = permute(dense, {0, 2, 1, 3});
  return times == 1 ? heads : repeat(heads, times, 1);
}

Tensor scores_of_pairs(const Call& call, const Tensor& q, const Tensor& k, const Tensor& bias) {
  const auto times = q.shape()[2] / k.shape()[2];
  const Tensor products = batched_matmul(by_heads(q), by_heads(k, times), false, true) * call.scale;
  return bias.defined() ? products + bias : products;
}

Tensor mean_of_pairs(std::string_view op, const Call& call, const CallNoise& noise, const Tensor& q,
                     const Tensor& k, const Tensor& scores, const Tensor& v) {
  const auto type = scores.dtype();
  const Tensor nothing = scalar(-std::numeric_limits<double>::infinity(), type);
  const Mask pairs = call.pairs(op, q, k);
  const Tensor seen = drop_mask(with_mask(full(pairs.shape(), 1, type), pairs), "who sees whom");
  const Tensor there = where(greater(expand_dims(seen, 1), 0), scores, nothing);
  const Tensor top = logsumexp(there, {-1}, true);
  Tensor weights = where(greater(there, nothing), exp(there - top), scalar(0, type));
  const Tensor factors = dropped(noise, call, q, k, scores.shape());
  if (factors.defined()) weights = weights * factors;
  return batched_matmul(weights, v);
}

}  // namespace maskgrad::attention_detail
