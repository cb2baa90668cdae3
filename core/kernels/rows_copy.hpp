#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad::kernels {

/// Row numbers, -1 for none.
using RowList = std::span<const std::int64_t>;

/// Calls f(from, to) over fixed parts of [0, rows), by the `width` values of a row.
template <class F>
void over_rows(std::int64_t rows, std::int64_t width, F&& f) {
  const auto shards = std::min(extend::shard_count(rows * width, elementwise_grain), rows);
  extend::parallel_for(shards, [&](std::int64_t s) {
    f(extend::shard_begin(rows, shards, s), extend::shard_begin(rows, shards, s + 1));
  });
}

template <class T>
void add_row(const T* x, std::int64_t width, T* to) {
  for (std::int64_t i = 0; i < width; ++i) to[i] += x[i];
}

/// y row r = x row from[r]; `fill` where there is none.
template <class T>
void gather_rows(const T* x, RowList from, std::int64_t width, T* y, T fill = T{}) {
  const auto rows = static_cast<std::int64_t>(from.size());
  over_rows(rows, width, [&](std::int64_t r, std::int64_t end) {
    for (; r < end; ++r) {
      const auto source = from[static_cast<std::size_t>(r)];
      if (source < 0) {
        std::fill_n(y + r * width, width, fill);
      } else {
        std::copy_n(x + source * width, width, y + r * width);
      }
    }
  });
}

/// y row r += x row from[r], where there is one.
template <class T>
void gather_add_rows(const T* x, RowList from, std::int64_t width, T* y) {
  const auto rows = static_cast<std::int64_t>(from.size());
  over_rows(rows, width, [&](std::int64_t r, std::int64_t end) {
    for (; r < end; ++r) {
      const auto source = from[static_cast<std::size_t>(r)];
      if (source >= 0) add_row(x + source * width, width, y + r * width);
    }
  });
}

/// y row to[r] = x row r; no row of y may stand twice in `to`.
template <class T>
void put_rows(const T* x, RowList to, std::int64_t width, T* y) {
  const auto rows = static_cast<std::int64_t>(to.size());
  over_rows(rows, width, [&](std::int64_t r, std::int64_t end) {
    for (; r < end; ++r) {
      const auto target = to[static_cast<std::size_t>(r)];
      if (target >= 0) std::copy_n(x + r * width, width, y + target * width);
    }
  });
}

/// y row to[r] += x row r; no row of y may stand twice in `to`.
template <class T>
void put_add_rows(const T* x, RowList to, std::int64_t width, T* y) {
  const auto rows = static_cast<std::int64_t>(to.size());
  over_rows(rows, width, [&](std::int64_t r, std::int64_t end) {
    for (; r < end; ++r) {
      const auto target = to[static_cast<std::size_t>(r)];
      if (target >= 0) add_row(x + r * width, width, y + target * width);
    }
  });
}

/// The rows of `to`, those of one target side by side in their order: target t's are
/// order[start[t]] ... order[start[t + 1] - 1].
struct RowGroups {
  RowGroups(RowList to, std::int64_t targets) : start(targets + 1) {
    std::fill(start.begin(), start.end(), 0);
    for (const auto t : to) {
      if (t >= 0) ++start[t + 1];
    }
    for (std::int64_t t = 0; t < targets; ++t) start[t + 1] += start[t];
    order = extend::Index(start[targets]);
    extend::Index next(targets);
    std::copy_n(start.begin(), targets, next.begin());
    std::int64_t r = 0;
    for (const auto t : to) {
      if (t >= 0) order[next[t]++] = r;
      ++r;
    }
  }

  extend::Index start, order;
};

/// y row to[r] += x row r, where rows may meet: each target adds its rows in their order, whatever
/// the number of threads. y has `targets` rows.
template <class T>
void scatter_add_rows(const T* x, RowList to, std::int64_t width, std::int64_t targets, T* y) {
  const auto rows = static_cast<std::int64_t>(to.size());
  const auto shards = extend::shard_count(rows * width, elementwise_grain);
  if (shards == 1) {
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto target = to[static_cast<std::size_t>(r)];
      if (target >= 0) add_row(x + r * width, width, y + target * width);
    }
    return;
  }
  const RowGroups groups(to, targets);
  const auto grouped = groups.order.size();
  // A shard takes whole targets: those whose first row lies in its part of the rows.
  const auto first_target = [&](std::int64_t shard) {
    const auto begin = extend::shard_begin(grouped, shards, shard);
    return std::lower_bound(groups.start.begin(), groups.start.end() - 1, begin) -
           groups.start.begin();
  };
  extend::parallel_for(shards, [&](std::int64_t shard) {
    const auto end = shard + 1 == shards ? targets : first_target(shard + 1);
    for (auto target = first_target(shard); target < end; ++target) {
      for (auto i = groups.start[target]; i < groups.start[target + 1]; ++i) {
        add_row(x + groups.order[i] * width, width, y + target * width);
      }
    }
  });
}

}  // namespace maskgrad::kernels
