#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/mask_rows.hpp>

namespace maskgrad::masks {
namespace {

using Bits = std::vector<std::uint8_t>;
using Strides = std::array<std::int64_t, Shape::max_rank>;

Bits bits_for(const Shape& shape, std::uint8_t value = 0) {
  return checked::vector("Mask", shape.count(), value);
}

Bits bits_of(const Mask& m) {
  Bits bits = bits_for(m.shape());
  for (auto p : m.impl().positions) bits[static_cast<std::size_t>(p)] = 1;
  return bits;
}

/// The mask of `shape` whose position with index i is position offset + sum(i * strides) of `m`.
Mask view(const Mask& m, const Shape& shape, const Strides& strides, std::int64_t offset) {
  if (is_meta(m)) return meta(shape, m.origin(), is_possible(m));
  Bits bits = bits_for(shape);
  const auto& row_of = m.impl().row_of();
  extend::for_each_offset(shape, strides, [&](std::int64_t flat, std::int64_t at) {
    bits[static_cast<std::size_t>(flat)] = row_of[offset + at] >= 0;
  });
  return from_bits(bits, shape, m.origin());
}

std::string joint_origin(const Mask& a, const Mask& b) {
  const auto &x = a.origin(), &y = b.origin();
  if (x.find(y) != std::string::npos) return x;
  if (y.find(x) != std::string::npos) return y;
  return x + " AND " + y;
}

}  // namespace

Mask broadcast(const Mask& m, const Shape& shape) {
  if (m.shape() == shape) return m;
  const int lead = shape.rank() - m.rank();
  const auto own = extend::strides_of(m.shape());
  Strides strides{};
  for (int i = 0; i < m.rank(); ++i) {
    if (m.shape()[i] != 1) {
      strides[static_cast<std::size_t>(i + lead)] = own[static_cast<std::size_t>(i)];
    }
  }
  return view(m, shape, strides, 0);
}

Mask both(const Mask& a, const Mask& b, const Shape& shape) {
  if (!a && !b) return {};
  if (!b || a.same(b)) return broadcast(a, shape);
  if (!a) return broadcast(b, shape);
  if (is_meta(a) || is_meta(b)) {
    return meta(shape, joint_origin(a, b), is_possible(a) && is_possible(b));
  }
  const Mask x = broadcast(a, shape), y = broadcast(b, shape);
  if (x == y || y.all_valid()) return x;
  if (x.all_valid()) return y;
  Bits bits = bits_of(x);
  const auto& other = y.impl().row_of();
  for (std::size_t i = 0; i < bits.size(); ++i) {
    bits[i] = bits[i] && other[static_cast<std::int64_t>(i)] >= 0;
  }
  return from_bits(bits, shape, joint_origin(a, b));
}

Mask slice(const Mask& m, int axis, std::int64_t start, std::int64_t size, std::int64_t step) {
  Shape shape = m.shape();
  shape[axis] = size;
  Strides strides = extend::strides_of(m.shape());
  const auto at = static_cast<std::size_t>(axis);
  const auto offset = start * strides[at];
  strides[at] *= step;
  return view(m, shape, strides, offset);
}

Mask select(const Mask& m, int axis, std::int64_t index) {
  const Shape shape = m.shape().sub(0, axis) + m.shape().sub(axis + 1, m.rank());
  if (is_meta(m)) return meta(shape, m.origin(), is_possible(m));
  Strides strides = extend::strides_of(m.shape());
  const auto offset = index * strides[static_cast<std::size_t>(axis)];
  std::copy(strides.begin() + axis + 1, strides.end(), strides.begin() + axis);
  return view(m, shape, strides, offset);
}

Mask permute(const Mask& m, std::span<const int> order) {
  const auto own = extend::strides_of(m.shape());
  Shape shape;
  Strides strides{};
  for (std::size_t i = 0; i < order.size(); ++i) {
    shape.push_back(m.shape()[order[i]]);
    strides[i] = own[static_cast<std::size_t>(order[i])];
  }
  return view(m, shape, strides, 0);
}

Mask reshape(const Mask& m, const Shape& shape) {
  if (is_meta(m)) return meta(shape, m.origin(), is_possible(m));
  return from_bits(bits_of(m), shape, m.origin());
}

Mask any_over(const Mask& m, unsigned axes, bool keep) {
  Shape shape;
  Strides strides{};  // of the result, for each axis of m
  std::array<int, Shape::max_rank> to{};
  for (int i = 0; i < m.rank(); ++i) {
    const bool gone = (axes >> i & 1) != 0;
    to[static_cast<std::size_t>(i)] = gone ? -1 : shape.rank();
    if (!gone) shape.push_back(m.shape()[i]);
    if (gone && keep) shape.push_back(1);
  }
  if (is_meta(m)) return meta(shape, m.origin(), true);
  const auto own = extend::strides_of(shape);
  for (int i = 0; i < m.rank(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    strides[at] = to[at] < 0 ? 0 : own[static_cast<std::size_t>(to[at])];
  }
  Bits bits = bits_for(shape);
  const auto& row_of = m.impl().row_of();
  extend::for_each_offset(m.shape(), strides, [&](std::int64_t flat, std::int64_t at) {
    bits[static_cast<std::size_t>(at)] |= row_of[flat] >= 0;
  });
  return from_bits(bits, shape, m.origin());
}

Mask concatenate(std::span<const Mask> parts, std::span<const Shape> shapes, int axis) {
  Shape shape = shapes[0];
  std::string origin;
  bool no_data = false, possible = true;
  shape[axis] = 0;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const auto size = shapes[k][axis];
    shape[axis] = checked::size_sum("concatenate", "the masks' steps", {shape[axis], size});
    if (!parts[k]) continue;
    if (origin.find(parts[k].origin()) == std::string::npos) {
      origin += (origin.empty() ? "" : " AND ") + parts[k].origin();
    }
    no_data = no_data || is_meta(parts[k]);
    possible = possible && is_possible(parts[k]);
  }
  if (no_data || shape.has_any()) return meta(shape, origin, possible);
  Bits bits = bits_for(shape, 1);
  const auto strides = extend::strides_of(shape);
  std::int64_t offset = 0;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    if (parts[k]) {
      const auto& row_of = parts[k].impl().row_of();
      extend::for_each_offset(shapes[k], strides, [&](std::int64_t flat, std::int64_t at) {
        bits[static_cast<std::size_t>(offset + at)] = row_of[flat] >= 0;
      });
    }
    offset += shapes[k][axis] * strides[static_cast<std::size_t>(axis)];
  }
  return from_bits(bits, shape, std::move(origin));
}

}  // namespace maskgrad::masks
