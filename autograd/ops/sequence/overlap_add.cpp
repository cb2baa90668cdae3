#include <maskgrad/autograd/ops/sequence/overlap_add.hpp>

#include <algorithm>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/kernels/rows_copy.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view overlap_add_op = "overlap_add";

void check_call(const Tensor& x, const OverlapOptions& o) {
  check::real(overlap_add_op, x);
  check::rank(overlap_add_op, x, 4, "[batch, windows, width, features]");
  if (o.stride < 1 || o.dilation < 1 || o.output_padding.value_or(0) < 0) {
    fail<OptionError>(overlap_add_op,
                      "stride {}, dilation {}, output_padding {}; expected 1 or more of the first "
                      "two, 0 or more of the last",
                      o.stride, o.dilation, o.output_padding.value_or(0));
  }
  if (o.padding == Padding::causal) {
    fail<OptionError>(overlap_add_op, "the padding is causal; expected valid or same");
  }
  if (x.shape()[2] == any || x.shape()[2] < 1) {
    fail<ShapeError>(overlap_add_op,
                     "{}; expected [batch, windows, width, features] with a width of 1 or more",
                     x.describe());
  }
  if (x.has_mask() && x.mask().rank() > 1) {
    fail<MaskError>(overlap_add_op,
                    "{} has a mask over its windows, which would be added to their neighbors. Mask "
                    "[batch] alone, or fill the rest with x.drop_mask(\"why\")",
                    x.describe());
  }
}

/// How the windows lie: the steps that they give, and how many are cut before the first.
struct Layout {
  std::int64_t steps, cut;
};

Layout layout_of(std::int64_t windows, std::int64_t width, const OverlapOptions& o) {
  if (windows == any || windows == 0) return {windows, 0};
  const auto span =
      checked::product(overlap_add_op, "a window's steps", {width - 1, o.dilation}) + 1;
  const auto last =
      checked::product(overlap_add_op, "the steps of the windows", {windows - 1, o.stride});
  if (o.padding == Padding::valid) {
    return {last + (o.output_padding ? span + *o.output_padding : std::max(span, o.stride)), 0};
  }
  const auto steps = o.output_padding ? last + span % 2 + *o.output_padding : last + o.stride;
  return {steps, std::max<std::int64_t>(last + span - steps, 0) / 2};
}

/// The step of each value of each window of `sequences` sequences, -1 where it is cut.
Index steps_of(std::int64_t sequences, std::int64_t windows, std::int64_t width,
               const OverlapOptions& o) {
  const auto [steps, cut] = layout_of(windows, width, o);
  Index to(sequences * windows * width);
  std::int64_t at = 0;
  for (std::int64_t s = 0; s < sequences; ++s) {
    for (std::int64_t k = 0; k < windows; ++k) {
      for (std::int64_t j = 0; j < width; ++j) {
        const auto t = k * o.stride + j * o.dilation - cut;
        to[at++] = t < 0 || t >= steps ? -1 : s * steps + t;
      }
    }
  }
  return to;
}

}  // namespace

Tensor overlap_add(const Tensor& x, const OverlapOptions& o) {
  check_call(x, o);
  const auto windows = x.shape()[1], width = x.shape()[2], features = x.shape()[3];
  const Shape shape{x.shape()[0], layout_of(windows, width, o).steps, features};
  if (x.is_meta()) return rows::make_meta(shape, x.dtype(), x.mask());
  const auto sequences = x.has_mask() ? x.mask().valid() : x.shape()[0];
  const Index to = steps_of(sequences, windows, width, o);
  const auto added = [to, features, shape, steps = sequences * shape[1]](const Tensor& values) {
    const Tensor y = rows::make_zeros(shape, values.dtype(), values.mask());
    dispatch_real(overlap_add_op, values.dtype(), [&]<class T>() {
      kernels::scatter_add_rows<T>(rows::of<T>(values).data(), to, features, steps,
                                   rows::of_mutable<T>(y).data());
    });
    return y;
  };
  return record_linear(overlap_add_op, added(x), {x}, added,
                       [to, features](const Tensor& dy, Grads& grads) {
                         dispatch_real(overlap_add_op, dy.dtype(), [&]<class T>() {
                           kernels::gather_add_rows<T>(rows::of<T>(dy).data(), to, features,
                                                       grads.into<T>(0).data());
                         });
                       });
}

}  // namespace maskgrad
