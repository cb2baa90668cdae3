#include <maskgrad/autograd/ops/attention_call.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/noise.hpp>

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

}  // namespace

void check_mask(std::string_view op, const Tensor& x) {
  if (!x.has_mask() || x.mask().rank() <= 2) return;
  fail<MaskError>(op,
                  "{} has a mask over heads; a step is there or not as a whole. Mask [batch, "
                  "time], or fill single values with x.drop_mask(\"why\")",
                  x.describe());
}

void check_call(std::string_view op, const Tensor& q, const Tensor& k,
                const AttentionOptions& options) {
  check::real(op, q);
  check::same_dtype(op, q, k);
  check::rank(op, q, 4, "[batch, query, heads, dim]; without heads, expand_dims(q, 2)");
  check::rank(op, k, 4, "[batch, key, heads, dim]; without heads, expand_dims(k, 2)");
  check_heads(op, q, k);
  check_mask(op, q);
  check_mask(op, k);
  if (options.bias.defined()) check_bias(op, q, k, options.bias);
  if (options.window && *options.window < 0) {
    fail<OptionError>(op, "the window is {}; expected 0 or more keys on either side",
                      *options.window);
  }
  if (!(options.dropout >= 0 && options.dropout < 1)) {
    fail<OptionError>(op, "dropout is {}; expected a probability from 0 up to but not 1",
                      options.dropout);
  }
}

Side::Side(const Tensor& x) {
  const auto batch = x.shape()[0], time = x.shape()[1];
  const auto* mask = x.has_mask() ? &x.mask().impl() : nullptr;
  if (mask && x.mask().rank() == 2) {
    first = mask->first;
    count = mask->length;
    step = Index(mask->valid);
    for (std::int64_t r = 0; r < step.size(); ++r) step[r] = mask->positions[r] % time;
    return;
  }
  first = Index(batch);
  count = Index(batch);
  const auto* row_of = mask && x.mask().rank() == 1 ? mask->row_of().data() : nullptr;
  const bool nothing = mask && x.mask().rank() == 0 && mask->valid == 0;
  for (std::int64_t b = 0; b < batch; ++b) {
    const auto row = nothing ? -1 : row_of ? row_of[b] : b;
    first[b] = row < 0 ? 0 : row * time;
    count[b] = row < 0 ? 0 : time;
  }
  step = Index(rows::count(x) * x.shape().count(rows::mask_rank(x), 2));
  for (std::int64_t r = 0; r < step.size(); ++r) step[r] = r % time;
}

Call::Call(const Tensor& q, const Tensor& k, const AttentionOptions& options)
    : queries(q),
      keys(k),
      limited(options.causal || options.window),
      scale(options.scale.value_or(1 / std::sqrt(static_cast<double>(q.shape()[3])))) {
  if (limited) limit(options);
}

/// Keys are counted by rank among the valid ones, so that a hole is no gap.
void Call::limit(const AttentionOptions& options) {
  from = Index(queries.step.size());
  to = Index(queries.step.size());
  for (std::int64_t b = 0; b < queries.count.size(); ++b) {
    const auto count = keys.count[b];
    const auto* steps = keys.step.data() + keys.first[b];
    const auto window = std::min(options.window.value_or(count), count);
    std::int64_t before = 0, upto = 0;  // keys at steps before the query's, and up to it
    for (auto r = queries.first[b]; r < queries.first[b] + queries.count[b]; ++r) {
      while (before < count && steps[before] < queries.step[r]) ++before;
      while (upto < count && steps[upto] <= queries.step[r]) ++upto;
      from[r] = std::max<std::int64_t>(0, before - window);
      to[r] = options.causal ? upto : std::min(count, upto + window);
    }
  }
}

CallNoise::CallNoise(double dropout, Seed seed, std::int64_t batch)
    : rate_(training() ? dropout : 0) {
  if (rate_ == 0) return;
  const auto position = noise_position();
  const Seed key = seed.of(position.step);
  for (std::int64_t n = 0; n < batch; ++n) {
    sources_.push_back(noise_source(position.samples.get(), position.sequence, key, n));
  }
}

}  // namespace maskgrad::attention_detail
