#include <maskgrad/layers/losses/pairs.hpp>

#include <maskgrad/autograd/check.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/core/mask_rows.hpp>

namespace maskgrad::losses {

Pair together(const Tensor& target, const Tensor& prediction) {
  const Tensor p = target.has_mask() ? with_mask(prediction, target.mask()) : prediction;
  return {p.has_mask() ? with_mask(target, p.mask()) : target, p};
}

Pair alike(std::string_view where, const Tensor& target, const Tensor& prediction) {
  check::real(where, prediction);
  if (is_real(target.dtype())) check::same_dtype(where, target, prediction);
  if (target.rank() < 1 || !fits(target.shape(), prediction.shape())) {
    fail<ShapeError>(where,
                     "target {} for prediction {}; expected one shape [batch, ..., "
                     "features]. Nothing is broadcast here: reshape one of them",
                     target.describe(), prediction.describe());
  }
  Pair pair = together(target, prediction);
  if (!is_real(target.dtype())) pair.target = cast(pair.target, prediction.dtype());
  return pair;
}

Pair whole_rows(std::string_view where, const Tensor& target, const Tensor& prediction) {
  Pair pair = alike(where, target, prediction);
  check::inner_axis(where, pair.prediction, -1, "mask whole positions");
  return pair;
}

int position_axes(const Tensor& values) {
  const int last = values.rank() - 1;
  const bool masked = values.has_mask() && values.mask().rank() > last;
  return masked || last == 0 ? last + 1 : last;
}

Tensor at_positions(const Tensor& values) {
  return position_axes(values) == values.rank() ? values : mean(values, {values.rank() - 1});
}

std::int64_t fallen_away(const Tensor& target, const Tensor& prediction) {
  if (target.is_meta() || prediction.is_meta()) return 0;
  if (!target.has_mask() || !prediction.has_mask()) return 0;
  const Mask a = target.mask(), b = prediction.mask();
  if (a.same(b) || a == b) return 0;
  // Masks are prefixes: the shorter one is spread over the axes that the other one has besides.
  const Shape shape = a.rank() > b.rank() ? a.shape() : b.shape();
  const auto spread = [&shape](const Mask& m) {
    Shape own = m.shape();
    while (own.rank() < shape.rank()) own.push_back(1);
    return m.rank() == shape.rank() ? m : masks::broadcast(masks::reshape(m, own), shape);
  };
  const Mask x = spread(a), y = spread(b);
  return x.valid() + y.valid() - 2 * masks::both(x, y, shape).valid();
}

std::int64_t checked_fallen_away(const Of& of, bool strict_lengths) {
  const auto fallen = fallen_away(of.target, of.prediction);
  if (fallen == 0 || !strict_lengths) return fallen;
  fail<MaskError>(of.name,
                  "target {} and prediction {} differ in their masks ({} and {}): {} positions are "
                  "valid in one of them alone and would fall away. Give both the same lengths, or "
                  "leave out .strict_lengths",
                  of.target.describe(), of.prediction.describe(), of.target.mask().origin(),
                  of.prediction.mask().origin(), fallen);
}

void check_share(std::string_view where, std::string_view option, double value) {
  if (value >= 0 && value <= 1) return;
  fail<OptionError>(where, "the option .{} is {}; expected a number from 0 to 1", option, value);
}

}  // namespace maskgrad::losses
