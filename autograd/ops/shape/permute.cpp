#include <maskgrad/autograd/ops/shape/permute.hpp>

#include <fmt/format.h>

#include <numeric>

#include <maskgrad/autograd/ops/shape/rearrange.hpp>

namespace maskgrad {
namespace {

/// Axis numbers, as many as a shape can have.
struct Order {
  std::array<int, Shape::max_rank> axes{};
  int rank = 0;

  static Order identity(int rank) {
    Order order;
    order.rank = rank;
    std::iota(order.axes.begin(), order.axes.end(), 0);
    return order;
  }
  int& operator[](int i) { return axes[static_cast<std::size_t>(i)]; }
  int operator[](int i) const { return axes[static_cast<std::size_t>(i)]; }
  std::span<const int> span() const { return {axes.data(), static_cast<std::size_t>(rank)}; }
  bool kept(int from, int to) const {
    for (int i = from; i < to; ++i) {
      if ((*this)[i] != i) return false;
    }
    return true;
  }
};

Shape permuted(const Shape& shape, const Order& order) {
  Shape result;
  for (int i = 0; i < order.rank; ++i) result.push_back(shape[order[i]]);
  return result;
}

void check_groups(std::string_view op, const Tensor& x, const Order& order) {
  const int mask_rank = rows::mask_rank(x);
  for (int i = 0; i < mask_rank; ++i) {
    if (order[i] < mask_rank) continue;
    fail<MaskError>(op,
                    "axes of {} in the order [{}]: inner axis {} would stand among the mask axes; "
                    "expected the mask axes among themselves, first. Keep them first, or end the "
                    "mask with x.drop_mask(\"why\")",
                    x.describe(), fmt::join(order.span(), ", "), order[i]);
  }
}

/// The mask axes in a new order: rows change places.
Tensor move_rows(std::string_view op, const Tensor& x, const Order& order) {
  const Shape before = x.mask().shape();
  const auto own = strides_of(before);
  Order mask_order = order;
  mask_order.rank = before.rank();
  rearrange::Strides strides{};
  for (int i = 0; i < before.rank(); ++i) {
    strides[static_cast<std::size_t>(i)] = own[static_cast<std::size_t>(order[i])];
  }
  const Mask mask = masks::permute(x.mask(), mask_order.span());
  return rearrange::take_rows(op, x, rearrange::row_map(x.mask(), mask, strides, 0),
                              mask.shape() + rows::inner_shape(x), mask);
}

/// The inner axes in a new order: values change places in each row.
Tensor move_inner(std::string_view op, const Tensor& x, const Order& order) {
  const int mask_rank = rows::mask_rank(x);
  const auto own = rearrange::inner_view(x);
  auto view = own;
  for (int i = mask_rank; i < order.rank; ++i) {
    view.shape[i - mask_rank] = own.shape[order[i] - mask_rank];
    view.strides[static_cast<std::size_t>(i - mask_rank)] =
        own.strides[static_cast<std::size_t>(order[i] - mask_rank)];
  }
  return rearrange::take_inner(op, x, view, view.shape);
}

Tensor reorder(std::string_view op, const Tensor& x, const Order& order) {
  check_groups(op, x, order);
  const int mask_rank = rows::mask_rank(x);
  const bool mask_kept = order.kept(0, mask_rank), inner_kept = order.kept(mask_rank, order.rank);
  if (x.is_meta()) {
    const auto mask =
        mask_kept
            ? x.mask()
            : masks::permute(x.mask(), order.span().first(static_cast<std::size_t>(mask_rank)));
    return rows::make_meta(permuted(x.shape(), order), x.dtype(), mask);
  }
  const Tensor y = mask_kept ? x : move_rows(op, x, order);
  return inner_kept ? y : move_inner(op, y, order);
}

}  // namespace

Tensor permute(const Tensor& x, std::span<const int> axes) {
  Order order = Order::identity(x.rank());
  unsigned seen = 0;
  bool fit = static_cast<int>(axes.size()) == x.rank();
  for (int i = 0; fit && i < x.rank(); ++i) {
    order[i] = normal_axis("permute", axes[static_cast<std::size_t>(i)], x.shape());
    seen |= 1U << order[i];
  }
  if (!fit || seen != (1U << x.rank()) - 1) {
    fail<ShapeError>("permute", "the order [{}] for {}; expected each of its {} axes once",
                     fmt::join(axes, ", "), x.describe(), x.rank());
  }
  return reorder("permute", x, order);
}

Tensor permute(const Tensor& x, std::initializer_list<int> order) {
  return permute(x, std::span<const int>(order.begin(), order.size()));
}

Tensor transpose(const Tensor& x, int a, int b) {
  Order order = Order::identity(x.rank());
  std::swap(order[normal_axis("transpose", a, x.shape())],
            order[normal_axis("transpose", b, x.shape())]);
  return reorder("transpose", x, order);
}

Tensor moveaxis(const Tensor& x, int from, int to) {
  from = normal_axis("moveaxis", from, x.shape());
  to = normal_axis("moveaxis", to, x.shape());
  Order order = Order::identity(x.rank());
  for (int i = from; i < to; ++i) order[i] = i + 1;
  for (int i = from; i > to; --i) order[i] = i - 1;
  order[to] = from;
  return reorder("moveaxis", x, order);
}

}  // namespace maskgrad
