#include <maskgrad/layers/losses/pairs.hpp>

#include <maskgrad/autograd/check.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>

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

Tensor at_positions(const Tensor& values) {
  const int last = values.rank() - 1;
  const bool masked = values.has_mask() && values.mask().rank() > last;
  return masked || last == 0 ? values : mean(values, {last});
}

void check_share(std::string_view where, std::string_view option, double value) {
  if (value >= 0 && value <= 1) return;
  fail<OptionError>(where, "the option .{} is {}; expected a number from 0 to 1", option, value);
}

}  // namespace maskgrad::losses
