#include <fmt/format.h>

#include <cmath>

#include <maskgrad/core/rows.hpp>

namespace maskgrad {
namespace {

constexpr std::int64_t edge = 3;  // values shown at either end of a long axis

/// Writes nested brackets; the middle of an axis of more than 2 * edge + 1 values becomes `...`.
class Printer {
 public:
  explicit Printer(const Tensor& x) : x_(x), mask_axes_(rows::mask_rank(x)) {}

  std::string text() {
    axis(0, 0, 0);
    return std::move(out_);
  }

 private:
  void axis(int a, std::int64_t position, std::int64_t inner) {
    if (a == x_.rank()) return value(position, inner);
    const auto size = x_.shape()[a];
    const bool last = a + 1 == x_.rank();
    out_ += '[';
    for (std::int64_t i = 0; i < size; ++i) {
      if (i) out_ += last ? " " : "\n" + std::string(static_cast<std::size_t>(a + 1), ' ');
      if (size > 2 * edge + 1 && i == edge) {
        out_ += "...";
        i = size - edge - 1;
        continue;
      }
      const bool masked = a < mask_axes_;
      axis(a + 1, masked ? position * size + i : position, masked ? inner : inner * size + i);
    }
    out_ += ']';
  }

  void value(std::int64_t position, std::int64_t inner) {
    std::int64_t row = 0;
    if (x_.has_mask()) row = x_.mask().impl().row_of()[position];
    if (row < 0) {
      out_ += "--";
      return;
    }
    const auto at = static_cast<std::size_t>(row * rows::inner(x_) + inner);
    extend::dispatch(x_.dtype(), [&]<class T>() {
      const T value = rows::of<T>(x_)[at];
      if constexpr (extend::Real<T>) {
        out_ += std::isnan(value) ? "nan" : fmt::format("{:.4g}", value);  // without a sign
      } else {
        out_ += fmt::format("{}", value);
      }
    });
  }

  const Tensor& x_;
  int mask_axes_;
  std::string out_;
};

}  // namespace

std::string Tensor::str() const {
  if (!defined() || is_meta()) return describe();
  return Printer(*this).text() + "\n" + describe();
}

}  // namespace maskgrad
