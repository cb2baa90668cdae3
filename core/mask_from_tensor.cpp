#include <algorithm>
#include <cmath>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/kernels/rows_copy.hpp>
#include <maskgrad/core/mask_rows.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad {
namespace {

Mask from_truth(std::string_view where, const Tensor& x, bool flip) {
  if (x.dtype() != DType::boolean || x.has_mask()) {
    fail<TypeError>(where, "got {}; expected a tensor of bool without a mask", x.describe());
  }
  if (x.is_meta()) return masks::meta(x.shape(), masks::origin_here(where));
  auto bits = checked::vector<std::uint8_t>(where, rows::total(x));
  std::size_t i = 0;
  for (bool b : rows::of<bool>(x)) bits[i++] = b != flip;
  return masks::from_bits(bits, x.shape(), masks::origin_here(where));
}

}  // namespace

Mask Mask::keep(const Tensor& valid) {
  return from_truth("Mask::keep", valid, false);
}
Mask Mask::drop(const Tensor& padding) {
  return from_truth("Mask::drop", padding, true);
}

Mask Mask::where_any_differs(const Tensor& x, double value) {
  constexpr std::string_view where = "Mask::where_any_differs";
  const int rank = x.rank();  // throws where the tensor is empty
  const int mask_rank = rows::mask_rank(x);
  if (rank < 1 || mask_rank == rank) {
    fail<ShapeError>(where, "got {}; expected [..., features] without a mask over features",
                     x.describe());
  }
  const Shape steps = x.shape().sub(0, x.rank() - 1);
  const auto origin = masks::origin_here(where);
  if (x.is_meta()) return masks::meta(steps, origin);
  auto bits = checked::vector<std::uint8_t>(where, steps.count());
  // Steps that are stored one behind the other for each position of a mask.
  const auto behind = steps.count(mask_rank, steps.rank());
  const auto place_of = [&](std::int64_t stored) {
    if (mask_rank == 0) return stored;
    return x.mask().impl().positions[stored / behind] * behind + stored % behind;
  };
  extend::dispatch(x.dtype(), [&]<class T>() {
    const auto* at = rows::of<T>(x).data();
    // Ids and truth values are compared as numbers: no id is 0.5 or NaN.
    const auto padding = static_cast<std::conditional_t<extend::Real<T>, T, double>>(value);
    [[maybe_unused]] const bool nan = std::isnan(value);
    const auto differs = [&](T v) {
      if constexpr (extend::Real<T>) return nan ? !std::isnan(v) : v != padding;
      return static_cast<decltype(padding)>(v) != padding;
    };
    const auto features = x.shape().back();
    const auto stored = features == 0 ? 0 : rows::total(x) / features;
    kernels::over_rows(stored, features, [&](std::int64_t from, std::int64_t end) {
      for (auto step = from; step < end; ++step) {
        const auto* values = at + step * features;
        bits[static_cast<std::size_t>(place_of(step))] =
            std::any_of(values, values + features, differs);
      }
    });
  });
  return masks::from_bits(bits, steps, origin);
}

}  // namespace maskgrad
