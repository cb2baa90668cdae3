#include <maskgrad/autograd/ops/normalization/normalize_check.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>

namespace maskgrad {

void check::normalize(std::string_view op, const Tensor& x, double epsilon, const Affine& affine) {
  check::real(op, x);
  if (!(epsilon > 0)) {
    fail<OptionError>(op, "epsilon is {}; expected a number above 0", epsilon);
  }
  if (x.rank() < 2) {
    fail<ShapeError>(op, "got {}; expected [batch, ..., features]", x.describe());
  }
  if (rows::mask_rank(x) == x.rank()) {
    fail<MaskError>(op,
                    "got {}, whose mask covers the features that meet here; use a mask over whole "
                    "steps, or x.drop_mask(\"why\", fill)",
                    x.describe());
  }
  for (const Tensor* t : {&affine.gamma, &affine.beta}) {
    if (!t->defined()) continue;
    check::same_dtype(op, x, *t);
    if (t->has_mask() || t->rank() != 1 || !fits(t->shape()[0], x.shape().back())) {
      fail<ShapeError>(op, "gamma or beta is {} for {}; expected [features]", t->describe(),
                       x.describe());
    }
  }
}

Tensor detail::squarable(const Tensor& x, double least) {
  if (x.is_meta() || x.shape().back() == 0) return x;
  const Tensor scale = rows::make(x.shape().sub(0, x.rank() - 1) + Shape{1}, x.dtype(), x.mask());
  const auto width = static_cast<std::size_t>(x.shape().back());
  bool any = false;
  dispatch_real("unit_normalize", x.dtype(), [&]<class T>() {
    // Where squares have all digits in f64, and 1 / length in T.
    constexpr double low = sizeof(T) == 4 ? 0x1p-120 : 0x1p-450, high = 1 / low;
    const auto values = rows::of<T>(x);
    const auto to = rows::of_mutable<T>(scale);
    for (std::size_t i = 0; i < to.size(); ++i) {
      double top = 0;
      for (const T v : values.subspan(i * width, width)) {
        top = std::max<double>(top, std::abs(v));
      }
      to[i] = 1;
      const bool odd = std::isfinite(top) && (top < low || top > high);
      // What is shorter than `least` stays so.
      if (!odd || top < least || top == 0) continue;
      const double exponent = std::logb(std::max(1.0, 4 * least)) - std::logb(top);
      const double most = std::numeric_limits<T>::max_exponent - 2;
      to[i] = static_cast<T>(std::exp2(std::clamp(exponent, -most, most)));
      any = true;
    }
  });
  return any ? x * scale : x;
}

}  // namespace maskgrad
