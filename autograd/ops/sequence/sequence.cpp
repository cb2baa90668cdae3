#include <maskgrad/autograd/ops/sequence/sequence.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>

namespace maskgrad {
namespace {

/// The axis of the steps, and whether the mask counts them.
struct Steps {
  int axis;
  bool masked;
};

Steps steps_of(std::string_view op, const Tensor& x, std::optional<int> named) {
  const Shape& shape = x.shape();  // throws where the tensor is empty
  const int mask_rank = rows::mask_rank(x);
  const int axis = normal_axis(op, named.value_or(std::max(1, mask_rank - 1)), shape);
  if (axis < mask_rank - 1) {
    fail<MaskError>(op,
                    "axis {} of {} is a mask axis, but a sequence's steps lie along the last one, "
                    "{}. Name axis {}, or bring the axis there with permute",
                    axis, x.describe(), mask_rank - 1, mask_rank - 1);
  }
  return {axis, axis == mask_rank - 1};
}

/// The same steps elsewhere in each sequence: step k comes from step source(k, length), none where
/// that is out of the sequence.
template <class F>
Tensor rearranged(std::string_view op, const Tensor& x, double fill, F source) {
  const auto& m = x.mask().impl();
  Index from(m.valid);
  for (std::int64_t s = 0; s < m.length.size(); ++s) {
    const auto first = m.first[s], length = m.length[s];
    for (std::int64_t k = 0; k < length; ++k) {
      const auto step = source(k, length);
      from[first + k] = step < 0 || step >= length ? -1 : first + step;
    }
  }
  return rearrange::take_rows(op, x, from, x.shape(), x.mask(), fill);
}

/// Row of step k of each sequence that has one, and which do.
Tensor step_of_each(std::string_view op, const Tensor& x, std::int64_t k) {
  const auto& m = x.mask().impl();
  const int before = x.mask().rank() - 1;
  std::vector<std::uint8_t> has(static_cast<std::size_t>(m.length.size()));
  Index from(m.length.size());
  std::int64_t found = 0;
  for (std::int64_t s = 0; s < m.length.size(); ++s) {
    const auto step = k < 0 ? m.length[s] + k : k;
    if (step < 0 || step >= m.length[s]) continue;
    has[static_cast<std::size_t>(s)] = 1;
    from[found++] = m.first[s] + step;
  }
  const Shape outer = x.mask().shape().sub(0, before);
  Mask mask = masks::from_bits(has, outer, x.mask().origin());
  Index taken(found);
  std::copy_n(from.begin(), found, taken.begin());
  if (mask.all_valid()) mask = {};
  return rearrange::take_rows(op, x, taken, outer + rows::inner_shape(x), mask);
}

void check_has(std::string_view op, const Tensor& x, int axis, std::int64_t k) {
  const auto size = x.shape()[axis];
  if (size == any || (k >= -size && k < size)) return;
  if (size == 0) {
    fail<IndexError>(op,
                     "step {} on axis {} of {}, which has no steps; put a mask on, under which "
                     "it need not exist",
                     k, axis, x.describe());
  }
  fail<IndexError>(op, "step {} on axis {} of {}; expected {} to {}", k, axis, x.describe(), -size,
                   size - 1);
}

Tensor step(std::string_view op, const Tensor& x, std::int64_t k, std::optional<int> named) {
  const auto steps = steps_of(op, x, named);
  if (!steps.masked) {
    check_has(op, x, steps.axis, k);
    return select(x, steps.axis, k);
  }
  if (!x.is_meta()) return step_of_each(op, x, k);
  const Shape outer = x.mask().shape().sub(0, steps.axis);
  return rows::make_meta(outer + rows::inner_shape(x), x.dtype(),
                         masks::meta(outer, x.mask().origin(), true));
}

}  // namespace

Tensor reverse(const Tensor& x, std::optional<int> axis) {
  const auto steps = steps_of("reverse", x, axis);
  if (x.is_meta()) return x;
  if (steps.masked) {
    return rearranged("reverse", x, 0, [](auto k, auto length) { return length - 1 - k; });
  }
  auto view = rearrange::inner_view(x);
  const int at = steps.axis - rows::mask_rank(x);
  auto& stride = view.strides[static_cast<std::size_t>(at)];
  view.offset = std::max<std::int64_t>(0, view.shape[at] - 1) * stride;
  stride = -stride;
  return rearrange::take_inner("reverse", x, view, view.shape);
}

Tensor shift(const Tensor& x, std::int64_t by, double fill, std::optional<int> axis) {
  const auto steps = steps_of("shift", x, axis);
  if (x.is_meta() || by == 0) return x;
  if (steps.masked) {
    const auto most = x.shape()[steps.axis];
    by = std::clamp(by, -most, most);
    return rearranged("shift", x, fill, [by](auto k, auto) { return k - by; });
  }
  const auto size = x.shape()[steps.axis];
  const auto left = std::clamp<std::int64_t>(by, -size, size);
  const auto kept = size - std::abs(left);
  return rearrange::take_bands(
      "shift", x, steps.axis, size,
      {{{std::max<std::int64_t>(0, -left), std::max<std::int64_t>(0, left), kept}, {}}}, fill);
}

Tensor take_step(const Tensor& x, std::int64_t k, std::optional<int> axis) {
  return step("take_step", x, k, axis);
}
Tensor last_valid(const Tensor& x, std::optional<int> axis) {
  return step("last_valid", x, -1, axis);
}
Tensor first_valid(const Tensor& x, std::optional<int> axis) {
  return step("first_valid", x, 0, axis);
}

}  // namespace maskgrad
