#include <maskgrad/autograd/ops/mask/mask_ops.hpp>

#include <algorithm>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/kernels/rows_copy.hpp>

namespace maskgrad {
namespace {

/// For each row of `mask`, the run of `x` that it is: with no mask on x a position, else a row.
/// `axes`: x's mask may cover fewer axes than `mask`; a run is what lies behind `mask`'s axes.
Index runs_of(const Tensor& x, const Mask& mask) {
  const auto& positions = mask.impl().positions;
  if (!x.has_mask()) return positions;
  const auto behind = mask.shape().count(x.mask().rank(), mask.rank());
  const auto& row_of = x.mask().impl().row_of();
  Index runs(mask.valid());
  for (std::int64_t r = 0; r < runs.size(); ++r) {
    runs[r] = row_of[positions[r] / behind] * behind + positions[r] % behind;
  }
  return runs;
}

void check_prefix(const Tensor& x, const Mask& mask) {
  if (!mask) fail<MaskError>("with_mask", "no mask was given for {}", x.describe());
  const int rank = mask.rank();
  if (rank <= x.rank() && fits(mask.shape(), x.shape().sub(0, rank))) return;
  fail<MaskError>("with_mask",
                  "a mask {} made by {} for {}; expected the shape of the tensor's "
                  "leading axes, such as {}",
                  mask.shape(), mask.origin(), x.describe(),
                  x.shape().sub(0, std::min(2, x.rank())));
}

/// The mask of both, over as many axes as the longer one covers.
Mask joined(const Tensor& x, const Mask& mask) {
  if (!x.has_mask() || x.mask().same(mask)) return mask;
  const bool longer = x.mask().rank() > mask.rank();
  const Mask& shorter = longer ? mask : x.mask();
  const Shape& over = longer ? x.mask().shape() : mask.shape();
  Shape padded = shorter.shape();
  while (padded.rank() < over.rank()) padded.push_back(1);
  return masks::both(masks::reshape(shorter, padded), longer ? x.mask() : mask, over);
}

}  // namespace

Tensor with_mask(const Tensor& x, const Mask& mask) {
  check_prefix(x, mask);
  const Mask all = joined(x, mask);
  if (x.is_meta() || masks::is_meta(all)) return rows::make_meta(x.shape(), x.dtype(), all);
  if (x.mask().same(all)) return x;
  const Index runs = runs_of(x, all);
  const auto inner = x.shape().count(all.rank(), x.rank());
  const auto masked = [runs, inner, all](const Tensor& values) {
    Tensor y = rows::make(values.shape(), values.dtype(), all);
    dispatch(values.dtype(), [&]<class T>() {
      kernels::gather_rows<T>(rows::of<T>(values).data(), runs, inner,
                              rows::of_mutable<T>(y).data());
    });
    return y;
  };
  if (!is_real(x.dtype())) return masked(x);
  return record_linear(
      "with_mask", masked(x), {x}, masked, [runs, inner](const Tensor& dy, Grads& grads) {
        dispatch_real("with_mask", dy.dtype(), [&]<class T>() {
          kernels::put_add_rows<T>(rows::of<T>(dy).data(), runs, inner, grads.into<T>(0).data());
        });
      });
}

Tensor drop_mask(const Tensor& x, std::string_view reason, double fill) {
  if (reason.empty()) {
    fail<OptionError>("drop_mask", "no reason was given for {}; say why padding may be data here",
                      x.describe());
  }
  if (!x.has_mask()) return x;
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype());
  const Mask mask = x.mask();
  const auto inner = rows::inner(x);
  const auto dense = [mask, inner](const Tensor& values, double instead) {
    Tensor y = rows::make(values.shape(), values.dtype());
    dispatch(values.dtype(), [&]<class T>() {
      kernels::gather_rows<T>(rows::of<T>(values).data(), mask.impl().row_of(), inner,
                              rows::of_mutable<T>(y).data(), static_cast<T>(instead));
    });
    return y;
  };
  if (!is_real(x.dtype())) return dense(x, fill);
  return record_linear(
      "drop_mask", dense(x, fill), {x}, [dense](const Tensor& g) { return dense(g, 0); },
      [mask, inner](const Tensor& dy, Grads& grads) {
        Tensor dx = rows::make(dy.shape(), dy.dtype(), mask);
        dispatch_real("drop_mask", dy.dtype(), [&]<class T>() {
          kernels::gather_rows<T>(rows::of<T>(dy).data(), mask.impl().positions, inner,
                                  rows::of_mutable<T>(dx).data());
        });
        grads.add(0, dx);
      });
}

Tensor stop_gradient(const Tensor& x) {
  return x.value();
}

Tensor Tensor::with_mask(const Mask& mask) const {
  return maskgrad::with_mask(*this, mask);
}
Tensor Tensor::drop_mask(std::string_view reason, double fill) const {
  return maskgrad::drop_mask(*this, reason, fill);
}

}  // namespace maskgrad
