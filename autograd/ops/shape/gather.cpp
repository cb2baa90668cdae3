#include <maskgrad/autograd/ops/shape/gather.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/autograd/ops/shape/rearrange.hpp>

namespace maskgrad {
namespace {

/// The stored ids, each checked to be below `count`.
Index checked_ids(std::string_view op, const Tensor& ids, std::int64_t count,
                  std::string_view what) {
  const auto values = rows::of<std::int64_t>(ids);
  Index index(rows::total(ids));
  std::copy(values.begin(), values.end(), index.begin());
  for (std::int64_t i = 0; i < index.size(); ++i) {
    if (index[i] >= 0 && index[i] < count) continue;
    fail<IndexError>(op, "id {} at position {} of {}; expected 0 <= id < {}, for {}", index[i],
                     rearrange::position_of(ids, i), ids.describe(), count, what);
  }
  return index;
}

void check_table(std::string_view op, const Tensor& table) {
  if (table.rank() < 1) {
    fail<ShapeError>(op, "the table is {}; expected at least one axis, [n, ...]", table.describe());
  }
  check::no_mask(op, table, "the table's rows are named by ids and have no mask",
                 "put the mask on the ids");
}

}  // namespace

Tensor take(const Tensor& table, const Tensor& ids) {
  check_table("take", table);
  check::ids("take", ids);
  const Shape shape = ids.shape() + table.shape().sub(1, table.rank());
  if (table.is_meta() || ids.is_meta()) return rows::make_meta(shape, table.dtype(), ids.mask());
  const auto count = table.shape()[0], width = table.shape().count(1, table.rank());
  const auto from = checked_ids("take", ids, count, fmt::format("the table {}", table.describe()));
  const auto taken = [from, width, shape, mask = ids.mask()](const Tensor& values) {
    const Tensor y = rows::make(shape, values.dtype(), mask);
    dispatch(values.dtype(), [&]<class T>() {
      kernels::gather_rows(rows::of<T>(values).data(), from, width, rows::of_mutable<T>(y).data());
    });
    return y;
  };
  return record_linear("take", taken(table), {table}, taken,
                       [from, count, width](const Tensor& dy, Grads& grads) {
                         dispatch_real("take", dy.dtype(), [&]<class T>() {
                           kernels::scatter_add_rows(rows::of<T>(dy).data(), from, width, count,
                                                     grads.into<T>(0).data());
                         });
                       });
}

Tensor one_hot(const Tensor& ids, std::int64_t classes, DType dtype) {
  check::ids("one_hot", ids);
  if (classes < 1) {
    fail<ShapeError>("one_hot", "{} classes for {}; expected 1 or more", classes, ids.describe());
  }
  const Shape shape = ids.shape() + Shape{classes};
  if (ids.is_meta()) return rows::make_meta(shape, dtype, ids.mask());
  const auto index = checked_ids("one_hot", ids, classes, fmt::format("{} classes", classes));
  const Tensor y = rows::make_zeros(shape, dtype, ids.mask());
  dispatch(dtype, [&]<class T>() {
    auto* to = rows::of_mutable<T>(y).data();
    for (std::int64_t i = 0; i < index.size(); ++i) to[i * classes + index[i]] = T(1);
  });
  return y;
}

Tensor add_at(const Tensor& table, const Tensor& ids, const Tensor& values) {
  check_table("add_at", table);
  check::ids("add_at", ids);
  check::same_dtype("add_at", table, values);
  check::numeric("add_at", table);
  const Shape expected = ids.shape() + table.shape().sub(1, table.rank());
  if (values.rank() != expected.rank() || !fits(values.shape(), expected)) {
    fail<ShapeError>("add_at", "values {} for ids {} and the table {}; expected values of shape {}",
                     values.describe(), ids.describe(), table.describe(), expected);
  }
  if (rows::mask_rank(values) > ids.rank()) {
    fail<MaskError>("add_at",
                    "values {} have a mask of {} axes, ids {} have {}; expected a mask over axes "
                    "of the ids. Set the others to 0 with or_else(values, zeros)",
                    values.describe(), rows::mask_rank(values), ids.describe(), ids.rank());
  }
  if (table.is_meta() || ids.is_meta() || values.is_meta()) {
    return rows::make_meta(table.shape(), table.dtype());
  }
  const auto count = table.shape()[0], width = table.shape().count(1, table.rank());
  const auto named =
      checked_ids("add_at", ids, count, fmt::format("the table {}", table.describe()));
  // The table's row for each block of the values.
  const rearrange::Blocks from(values, ids.rank()), of_ids(ids, ids.rank());
  Index to(from.count());
  for (std::int64_t k = 0; k < to.size(); ++k) {
    const auto id = of_ids.at(from.position(k));
    to[k] = id < 0 ? -1 : named[id];
  }
  const Tensor y = rows::make(table.shape(), table.dtype());
  dispatch(table.dtype(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, bool>) {
      std::ranges::copy(rows::of<T>(table), rows::of_mutable<T>(y).begin());
      kernels::scatter_add_rows(rows::of<T>(values).data(), to, width, count,
                                rows::of_mutable<T>(y).data());
    }
  });
  return record_linear(
      "add_at", y, {table, values},
      [to, width, count, shape = table.shape()](int i, const Tensor& g) {
        if (i == 0) return g;
        const Tensor sums = rows::make_zeros(shape, g.dtype());
        dispatch_real("add_at", g.dtype(), [&]<class T>() {
          kernels::scatter_add_rows(rows::of<T>(g).data(), to, width, count,
                                    rows::of_mutable<T>(sums).data());
        });
        return sums;
      },
      [to, width](const Tensor& dy, Grads& grads) {
        grads.add(0, dy);
        if (!grads.wants(1)) return;
        dispatch_real("add_at", dy.dtype(), [&]<class T>() {
          kernels::gather_add_rows(rows::of<T>(dy).data(), to, width, grads.into<T>(1).data());
        });
      });
}

}  // namespace maskgrad
