#include <maskgrad/autograd/ops/decoding/found.hpp>

#include <algorithm>

#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/checked.hpp>

namespace maskgrad::decoding {

Tensor scores_of(std::string_view op, const Tensor& x, const Found& found, const Shape& lead) {
  const auto n = lead.count(1, lead.rank());
  const bool all = std::all_of(found.begin(), found.end(), [n](const auto& paths) {
    return static_cast<std::int64_t>(paths.size()) == n;
  });
  Mask mask;
  if (!all || sample_mask(x)) {
    auto bits = checked::vector<std::uint8_t>(op, lead.count());
    for (std::size_t b = 0; b < found.size(); ++b) {
      std::fill_n(bits.begin() + static_cast<std::int64_t>(b) * n, found[b].size(),
                  std::uint8_t{1});
    }
    mask = masks::from_bits(bits, lead, masks::origin_here(op));
  }
  const Tensor y = rows::make(lead, x.dtype(), mask);
  dispatch_real(op, x.dtype(), [&]<class T>() {
    T* to = rows::of_mutable<T>(y).data();
    for (const auto& paths : found) {
      for (const auto& path : paths) *to++ = static_cast<T>(path.score);
    }
  });
  return y;
}

Tensor scores_meta(std::string_view op, const Tensor& x, const Shape& lead) {
  const Mask possible = masks::meta(lead, masks::origin_here(op), !sample_mask(x));
  return rows::make_meta(lead, x.dtype(), possible);
}

}  // namespace maskgrad::decoding
