#include <maskgrad/autograd/ops/attention/attention_call.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/core/checked.hpp>

namespace maskgrad::attention_detail {
namespace {

void check_heads(std::string_view op, const Tensor& q, const Tensor& k) {
  const auto heads = q.shape()[2], kv_heads = k.shape()[2], dim = q.shape()[3];
  const bool known = heads != any && kv_heads != any;
  if (!fits(q.shape()[0], k.shape()[0]) || !fits(dim, k.shape()[3]) || dim == 0) {
    fail<ShapeError>(op,
                     "queries {} with keys {}; expected the same batch, and the same dim of 1 or "
                     "more",
                     q.describe(), k.describe());
  }
  if (known && (heads == 0 || kv_heads == 0 || heads % kv_heads != 0)) {
    fail<ShapeError>(op,
                     "{} heads in queries {} with {} in keys {}; expected as many, or a multiple, "
                     "so that each key head serves as many query heads",
                     heads, q.describe(), kv_heads, k.describe());
  }
}

void check_bias(std::string_view op, const Tensor& q, const Tensor& k, const Tensor& bias) {
  check::same_dtype(op, q, bias);
  check::no_mask(op, bias, "a bias is added to pairs, which have masks already",
                 "hide a pair by -infinity");
  const Shape pairs{q.shape()[0], q.shape()[2], q.shape()[1], k.shape()[1]};
  bool fit = bias.rank() >= 2 && bias.rank() <= 4;
  for (int i = bias.rank() - 1, at = 3; fit && i >= 0; --i, --at) {
    fit = bias.shape()[i] == 1 || fits(bias.shape()[i], pairs[at]);
  }
  if (fit) return;
  fail<ShapeError>(op,
                   "the bias {} for queries {} and keys {}; expected [query, key], [heads, query, "
                   "key] or [batch, heads, query, key] of the sizes {}, or 1",
                   bias.describe(), q.describe(), k.describe(), pairs);
}

void check_positions(std::string_view op, std::int64_t queries, std::int64_t keys,
                     std::string_view whose) {
  if (queries <= keys || keys == 0 || keys == any || queries == any) return;
  fail<ShapeError>(op,
                   "{} {} queries for {} keys; causal attention and windows put the last query at "
                   "the last key, so that queries before the first key would have no position. "
                   "Give at most as many queries as keys: mask the queries too, as "
                   "q.with_mask(k.mask()), or hide pairs by a bias",
                   whose, queries, keys);
}

}  // namespace

void check_call(std::string_view op, const Tensor& q, const Tensor& k,
                const AttentionOptions& options) {
  check::real(op, q);
  check::same_dtype(op, q, k);
  check::rank(op, q, 4, "[batch, query, heads, dim]; without heads, expand_dims(q, 2)");
  check::rank(op, k, 4, "[batch, key, heads, dim]; without heads, expand_dims(k, 2)");
  check_heads(op, q, k);
  check::whole_steps(op, q, "heads");
  check::whole_steps(op, k, "heads");
  if (options.bias.defined()) check_bias(op, q, k, options.bias);
  if (options.window && *options.window < 0) {
    fail<OptionError>(op, "the window is {}; expected 0 or more keys on either side",
                      *options.window);
  }
  const bool limited = options.causal || options.window;
  if (limited && !q.has_mask() && !k.has_mask() && q.shape()[0] != 0) {
    check_positions(op, q.shape()[1], k.shape()[1], "there are");
  }
  if (!(options.dropout >= 0 && options.dropout < 1)) {
    fail<OptionError>(op, "dropout is {}; expected a probability from 0 up to but not 1",
                      options.dropout);
  }
}

Call::Call(std::string_view op, const Tensor& q, const Tensor& k, const AttentionOptions& options)
    : queries(samples_of(q)),
      keys(samples_of(k)),
      limited(options.causal || options.window),
      scale(options.scale.value_or(1 / std::sqrt(static_cast<double>(q.shape()[3])))) {
  if (limited) limit(op, options);
  if (!options.bias.defined()) return;
  query_step = step_of_rows(q);
  key_step = step_of_rows(k);
}

/// Queries and keys are counted by rank among the valid ones, so that a hole is no gap, and from
/// the last one, so that the queries of a later step see all that came before.
void Call::limit(std::string_view op, const AttentionOptions& options) {
  from = Index(queries.rows);
  to = Index(queries.rows);
  for (std::int64_t b = 0; b < queries.count(); ++b) {
    const auto own = queries.length[b], count = keys.length[b], before = count - own;
    if (before < 0) check_positions(op, own, count, fmt::format("sequence {} has", b));
    const auto window = std::min(options.window.value_or(count), count);
    for (std::int64_t i = 0; i < own; ++i) {
      const auto at = before + i, r = queries.first[b] + i;
      from[r] = std::clamp<std::int64_t>(at - window, 0, count);
      to[r] = count == 0 ? 0 : options.causal ? at + 1 : std::min(count, at + 1 + window);
    }
  }
}

Mask Call::pairs(std::string_view op, const Tensor& q, const Tensor& k) const {
  const Shape shape{q.shape()[0], q.shape()[1], k.shape()[1]};
  const Index query_at = step_of_rows(q), key_at = step_of_rows(k);
  auto bits = checked::vector<std::uint8_t>(op, shape.count());
  for (std::int64_t b = 0; b < shape[0]; ++b) {
    for (auto r = queries.first[b]; r < queries.first[b] + queries.length[b]; ++r) {
      const auto row = (b * shape[1] + query_at[r]) * shape[2];
      for (auto j = first_key(r); j < end_key(b, r); ++j) {
        bits[static_cast<std::size_t>(row + key_at[keys.first[b] + j])] = 1;
      }
    }
  }
  return masks::from_bits(bits, shape, masks::origin_here(op));
}

CallNoise::CallNoise(double dropout, Seed seed, std::int64_t batch)
    : rate_(training() ? dropout : 0) {
  if (rate_ == 0) return;
  const Seed key = extend::noise_key(seed);
  const auto* samples = extend::NoiseSamplesScope::current().get();
  for (std::int64_t n = 0; n < batch; ++n) {
    sources_.push_back(extend::noise_source(samples, noise_position().sequence, key, n));
  }
}

}  // namespace maskgrad::attention_detail
