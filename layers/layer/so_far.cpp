#include <maskgrad/layers/layer/so_far.hpp>

#include <limits>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/sequence/positions.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>

namespace maskgrad::detail {
namespace {

Mask or_mask(const Mask& a, const Mask& b) {
  if (!a || !b) return {};
  auto valid = a.to_vector();
  const auto other = b.to_vector();
  for (std::size_t i = 0; i < valid.size(); ++i) valid[i] = valid[i] || other[i];
  return Mask::keep(valid, a.shape());
}

Tensor under(const Tensor& x, const Mask& mask) {
  return mask && !mask.all_valid() ? with_mask(x, mask) : x;
}

Tensor filled(const Tensor& x, double value) {
  return x.has_mask() ? or_else(x, full(x.shape(), value, x.dtype())) : x;
}

}  // namespace

Tensor newest(const Tensor& now, const Tensor& before) {
  if (!before.defined() || !now.has_mask()) return now;
  return under(or_else(now, filled(before, 0)), or_mask(now.mask(), before.mask()));
}

Tensor greatest(const Tensor& now, const Tensor& before) {
  constexpr double least = -std::numeric_limits<double>::infinity();
  return under(maximum(filled(now, least), filled(before, least)),
               or_mask(now.mask(), before.mask()));
}

Tensor mean_so_far(extend::StreamSlot& slot, const Tensor& x, bool keepdims) {
  const auto lengths = x.mask().lengths();
  const auto batch = std::ssize(lengths);
  Tensor total = sum(x, 1, keepdims), count = tensor(lengths, {batch});
  if (!slot.tensors.empty()) {
    total = total + slot.tensors[0];
    count = count + slot.tensors[1];
  }
  slot.tensors = {total, count};
  const auto steps = rows::of<std::int64_t>(count);
  std::vector<double> divisor(steps.size());
  std::vector<bool> there(steps.size());
  for (std::size_t s = 0; s < steps.size(); ++s) {
    there[s] = steps[s] > 0;
    divisor[s] = there[s] ? static_cast<double>(steps[s]) : 1;
  }
  const Shape shape = keepdims ? Shape{batch, 1, 1} : Shape{batch, 1};
  const Mask mask = Mask::keep(there, keepdims ? Shape{batch, 1} : Shape{batch});
  return under(total / cast(tensor(divisor, shape), x.dtype()), mask);
}

Tensor weighted_so_far(extend::StreamSlot& slot, const Tensor& now, const Tensor& log_sum) {
  Tensor mean = log_sum.has_mask() ? with_mask(now, log_sum.mask()) : now, sums = log_sum;
  if (!slot.tensors.empty()) {
    constexpr double none = -std::numeric_limits<double>::infinity();
    const Tensor before = filled(slot.tensors[1], none), here = filled(log_sum, none);
    const Tensor both = logaddexp(here, before);
    const auto share = [&](const Tensor& part) {
      const Tensor of_all = where(greater(part, full({}, none, part.dtype())), exp(part - both),
                                  zeros({}, part.dtype()));
      return expand_dims(of_all, 2);
    };
    const Mask mask = or_mask(log_sum.mask(), slot.tensors[1].mask());
    mean = under(filled(mean, 0) * share(here) + filled(slot.tensors[0], 0) * share(before), mask);
    sums = under(both, mask);
  }
  slot.tensors = {mean, sums};
  return mean;
}

std::vector<std::int64_t> steps_before(const Tensor& x) {
  auto* slot = extend::stream_slot(x);
  if (!slot) return {};
  const auto lengths = x.mask().lengths();
  std::vector<std::int64_t> before(lengths.size()), now(lengths);
  if (!slot->tensors.empty()) before = counts_in(slot->tensors[0], before.size());
  for (std::size_t s = 0; s < now.size(); ++s) now[s] += before[s];
  slot->tensors = {tensor(now, {std::ssize(now)})};
  return before;
}

Tensor positions_so_far(const Tensor& x, std::int64_t start) {
  const Tensor at = positions(x, start);
  const auto before = steps_before(x);
  return before.empty() ? at : at + tensor(before, {std::ssize(before), 1});
}

NoiseSoFar::NoiseSoFar(const Tensor& x)
    : before_(training() ? steps_before(x) : std::vector<std::int64_t>()), noise_(before_) {}

}  // namespace maskgrad::detail
