#include <maskgrad/autograd/ops/sequence/windows.hpp>

#include <algorithm>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/sequence/window_walk.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/kernels/rows_copy.hpp>

namespace maskgrad {
namespace {

/// Keeps products of options far from what i64 can hold.
constexpr std::int64_t most = std::int64_t{1} << 30;

bool length_stays(const WindowOptions& o) {
  return o.stride == 1 && (o.padding != Padding::valid || o.width == 1);
}

}  // namespace

namespace window_walk {

std::int64_t count_of(std::int64_t length, const WindowOptions& o) {
  if (length == any) return any;
  if (o.padding != Padding::valid) return (length + o.stride - 1) / o.stride;
  return length < span_of(o) ? 0 : (length - span_of(o)) / o.stride + 1;
}

std::int64_t zeros_before(std::int64_t length, const WindowOptions& o) {
  if (o.padding == Padding::valid) return 0;
  if (o.padding == Padding::causal) return span_of(o) - 1;
  const auto all = (count_of(length, o) - 1) * o.stride + span_of(o) - length;
  return std::max<std::int64_t>(all, 0) / 2;
}

void check_call(std::string_view op, const Tensor& x, const WindowOptions& o) {
  check::rank(op, x, 3, "[batch, time, features]");
  if (std::min({o.width, o.stride, o.dilation}) < 1 ||
      std::max({o.width, o.stride, o.dilation}) > most) {
    fail<OptionError>(op, "width {}, stride {}, dilation {}; expected 1 to {} each", o.width,
                      o.stride, o.dilation, most);
  }
  check::whole_steps(op, x, "features");
}

Mask mask_of(const Tensor& x, std::int64_t time, const WindowOptions& o) {
  if (!x.has_mask() || x.mask().rank() <= 1 || length_stays(o)) return x.mask();
  if (masks::is_meta(x.mask())) {
    return masks::meta({x.shape()[0], time}, x.mask().origin(), masks::is_possible(x.mask()));
  }
  auto bits = checked::vector<std::uint8_t>("windows", Shape{x.shape()[0], time}.count());
  const auto& length = x.mask().impl().length;
  for (std::int64_t s = 0; s < length.size(); ++s) {
    std::fill_n(bits.begin() + s * time, count_of(length[s], o), std::uint8_t{1});
  }
  return masks::from_bits(bits, {x.shape()[0], time}, x.mask().origin());
}

}  // namespace window_walk

namespace {
using namespace window_walk;

/// Calls f(sequence's first row, its steps, the window's first step) for each window in order.
template <class F>
void over_windows(const Tensor& x, const WindowOptions& o, F&& f) {
  const Sequences sequences = sequences_of(x);
  for (std::int64_t s = 0; s < sequences.count(); ++s) {
    const auto length = sequences.length[s], before = zeros_before(length, o);
    for (std::int64_t k = 0; k < count_of(length, o); ++k) {
      f(sequences.first[s], length, k * o.stride - before);
    }
  }
}

/// The row of each place of each window, -1 where it is beyond the ends.
Index offsets_of(const Tensor& x, std::int64_t windows, const WindowOptions& o) {
  Index offsets(windows * o.width);
  std::int64_t at = 0;
  over_windows(x, o, [&](std::int64_t first, std::int64_t length, std::int64_t t) {
    for (std::int64_t j = 0; j < o.width; ++j, t += o.dilation) {
      offsets[at++] = t < 0 || t >= length ? -1 : first + t;
    }
  });
  return offsets;
}

}  // namespace

Tensor windows(const Tensor& x, const WindowOptions& o, double fill) {
  constexpr std::string_view op = "windows";
  if (fill == 0) {
    check::numeric(op, x);
  } else {
    check::real(op, x);
  }
  check_call(op, x, o);
  const auto time = count_of(x.shape()[1], o), features = x.shape()[2];
  const Shape shape{x.shape()[0], time, o.width, features};
  const Mask mask = mask_of(x, time, o);
  if (x.is_meta()) return rows::make_meta(shape, x.dtype(), mask);
  Tensor y = rows::make(shape, x.dtype(), mask);
  const Index offsets = offsets_of(x, rows::count(y) * shape.count(rows::mask_rank(y), 2), o);
  const auto gather = [offsets, features](const Tensor& from, const Tensor& to, double beyond) {
    dispatch(from.dtype(), [&]<class T>() {
      kernels::gather_rows<T>(rows::of<T>(from).data(), offsets, features,
                              rows::of_mutable<T>(to).data(), static_cast<T>(beyond));
    });
    return to;
  };
  const auto steps = features ? rows::total(x) / features : 0;
  return record_linear(
      op, gather(x, y, fill), {x},
      [gather, shape, mask](const Tensor& g) {
        return gather(g, rows::make(shape, g.dtype(), mask), 0);
      },
      [offsets, features, steps](const Tensor& dy, Grads& grads) {
        dispatch_real("windows", dy.dtype(), [&]<class T>() {
          kernels::scatter_add_rows<T>(rows::of<T>(dy).data(), offsets, features, steps,
                                       grads.into<T>(0).data());
        });
      });
}

Tensor window_sizes(const Tensor& x, const WindowOptions& o) {
  constexpr std::string_view op = "window_sizes";
  check::real(op, x);
  check_call(op, x, o);
  const auto time = count_of(x.shape()[1], o);
  const Shape shape{x.shape()[0], time, 1};
  const Mask mask = mask_of(x, time, o);
  if (x.is_meta()) return rows::make_meta(shape, x.dtype(), mask);
  Tensor y = rows::make(shape, x.dtype(), mask);
  dispatch_real(op, x.dtype(), [&]<class T>() {
    T* to = rows::of_mutable<T>(y).data();
    over_windows(x, o, [&](std::int64_t, std::int64_t length, std::int64_t t) {
      std::int64_t size = 0;
      for (std::int64_t j = 0; j < o.width; ++j, t += o.dilation) size += t >= 0 && t < length;
      *to++ = static_cast<T>(size);
    });
  });
  return y;
}

}  // namespace maskgrad
