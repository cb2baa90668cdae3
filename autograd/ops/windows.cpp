#include <maskgrad/autograd/ops/windows.hpp>

#include <algorithm>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/sequences.hpp>
#include <maskgrad/core/kernels/rows_copy.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view op = "windows";

/// Steps that a window spans.
std::int64_t span_of(const WindowOptions& o) {
  return (o.width - 1) * o.dilation + 1;
}

std::int64_t count_of(std::int64_t length, const WindowOptions& o) {
  if (length == any) return any;
  if (o.padding != Padding::valid) return (length + o.stride - 1) / o.stride;
  return length < span_of(o) ? 0 : (length - span_of(o)) / o.stride + 1;
}

/// Zeros before a sequence of that length.
std::int64_t zeros_before(std::int64_t length, const WindowOptions& o) {
  if (o.padding == Padding::valid) return 0;
  if (o.padding == Padding::causal) return span_of(o) - 1;
  const auto all = (count_of(length, o) - 1) * o.stride + span_of(o) - length;
  return std::max<std::int64_t>(all, 0) / 2;
}

void check_call(const Tensor& x, const WindowOptions& o) {
  check::numeric(op, x);
  check::rank(op, x, 3, "[batch, time, features]");
  if (o.width < 1 || o.stride < 1 || o.dilation < 1) {
    fail<OptionError>(op, "width {}, stride {}, dilation {}; expected 1 or more each", o.width,
                      o.stride, o.dilation);
  }
  if (x.has_mask() && x.mask().rank() == 3) {
    fail<MaskError>(op,
                    "{} has a mask over features; a step is there or not as a whole. Mask "
                    "[batch, time], or fill single values with x.drop_mask(\"why\")",
                    x.describe());
  }
}

/// The mask of the windows.
Mask mask_of(const Tensor& x, std::int64_t time, const WindowOptions& o) {
  if (!x.has_mask() || x.mask().rank() == 1) return x.mask();
  if (o.stride == 1 && o.padding != Padding::valid) return x.mask();
  if (masks::is_meta(x.mask())) {
    return masks::meta({x.shape()[0], time}, x.mask().origin(), masks::is_possible(x.mask()));
  }
  std::vector<std::uint8_t> bits(static_cast<std::size_t>(x.shape()[0] * time));
  const auto& length = x.mask().impl().length;
  for (std::int64_t s = 0; s < length.size(); ++s) {
    std::fill_n(bits.begin() + s * time, count_of(length[s], o), std::uint8_t{1});
  }
  return masks::from_bits(bits, {x.shape()[0], time}, x.mask().origin());
}

/// The row of each place of each window, -1 for a zero.
Index places_of(const Tensor& x, std::int64_t windows, const WindowOptions& o) {
  const Sequences sequences = sequences_of(x);
  Index places(windows * o.width);
  std::int64_t at = 0;
  for (std::int64_t s = 0; s < sequences.count(); ++s) {
    const auto length = sequences.length[s], before = zeros_before(length, o);
    for (std::int64_t k = 0; k < count_of(length, o); ++k) {
      for (std::int64_t j = 0; j < o.width; ++j) {
        const auto t = k * o.stride + j * o.dilation - before;
        places[at++] = t < 0 || t >= length ? -1 : sequences.first[s] + t;
      }
    }
  }
  return places;
}

}  // namespace

Tensor windows(const Tensor& x, const WindowOptions& o) {
  check_call(x, o);
  const auto time = count_of(x.shape()[1], o), features = x.shape()[2];
  const Shape shape{x.shape()[0], time, o.width, features};
  const Mask mask = mask_of(x, time, o);
  if (x.is_meta()) return rows::make_meta(shape, x.dtype(), mask);
  Tensor y = rows::make(shape, x.dtype(), mask);
  const auto width = features * o.width;
  const Index places = places_of(x, width ? rows::total(y) / width : 0, o);
  dispatch(x.dtype(), [&]<class T>() {
    kernels::gather_rows<T>(rows::of<T>(x).data(), places, features, rows::of_mutable<T>(y).data());
  });
  const auto steps = features ? rows::total(x) / features : 0;
  return record(op, y, {x}, [places, features, steps](const Tensor& dy, Grads& grads) {
    dispatch_real(op, dy.dtype(), [&]<class T>() {
      kernels::scatter_add_rows<T>(rows::of<T>(dy).data(), places, features, steps,
                                   grads.into<T>(0).data());
    });
  });
}

}  // namespace maskgrad
