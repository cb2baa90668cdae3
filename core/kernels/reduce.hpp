#pragma once

#include <algorithm>

#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad::kernels {

/// Which stored values of [rows, ...] meet in which result of [groups, kept...]: a result takes
/// those of a group of rows and of all reduced axes inside a row. A row is runs of `run` values
/// side by side; run (a, b) starts at outer(a) + lines(b), and its values go to `run` results
/// (`wide`) or all to one.
struct Reduction {
  std::int64_t groups = 1;
  std::int64_t each = 1;   ///< rows of every group, where there is no `begin`
  extend::Index begin;     ///< [groups + 1] the rows of group g are begin[g] ... begin[g + 1] - 1
  extend::Index order;     ///< the rows group by group; none: as they are stored
  std::int64_t width = 1;  ///< values of a row

  /// `count` offsets, `stride` apart, unless there is a table of them.
  struct Offsets {
    std::int64_t count = 1, stride = 0;
    extend::Index table;
    std::int64_t operator()(std::int64_t i) const { return table.empty() ? i * stride : table[i]; }
  };
  Offsets outer;  ///< kept runs
  Offsets lines;  ///< reduced runs
  std::int64_t run = 1;
  bool wide = false;

  std::int64_t first_row(std::int64_t group) const {
    return begin.empty() ? group * each : begin[group];
  }
  std::int64_t rows_of(std::int64_t group) const {
    return begin.empty() ? each : begin[group + 1] - begin[group];
  }
  std::int64_t row(std::int64_t i) const { return order.empty() ? i : order[i]; }
  std::int64_t rows() const { return first_row(groups - 1) + rows_of(groups - 1); }
  /// Results of a group, and how many values each is made of.
  std::int64_t kept() const { return outer.count * (wide ? run : 1); }
  std::int64_t terms(std::int64_t group) const {
    return rows_of(group) * lines.count * (wide ? 1 : run);
  }
  /// A group's values stand side by side in one result's order.
  bool solid() const { return !wide && order.empty() && run == width; }
};

namespace reduction {

// Work is cut into units: a group, an outer index, a block of columns; and, where there are few
// units, each unit into parts. Both depend on the problem alone.
inline constexpr std::int64_t block = 2048, few_units = 16;

struct Unit {
  std::int64_t group, outer, column, columns;  ///< columns: 1 unless wide
};

inline std::int64_t blocks(const Reduction& r) {
  return r.wide ? (r.run + block - 1) / block : 1;
}
inline std::int64_t units(const Reduction& r) {
  return r.groups * r.outer.count * blocks(r);
}
inline Unit unit(const Reduction& r, std::int64_t u) {
  const auto n = blocks(r);
  const auto column = u % n * block;
  return {u / n / r.outer.count, u / n % r.outer.count, column,
          r.wide ? std::min(block, r.run - column) : 1};
}
inline std::int64_t values(const Reduction& r) {
  return r.groups == 0 ? 0 : r.rows() * r.width;
}
inline std::int64_t parts(const Reduction& r) {
  return units(r) < few_units ? extend::shard_count(values(r), elementwise_grain) : 1;
}
/// First result of a unit.
inline std::int64_t result(const Reduction& r, const Unit& u) {
  return (u.group * r.outer.count + u.outer) * (r.wide ? r.run : 1) + u.column;
}

/// Calls f(place, n) for the pieces of part `part` of a unit, in order: n values side by side.
template <class F>
void walk(const Reduction& r, const Unit& u, std::int64_t part, std::int64_t of, F&& f) {
  const auto start = r.first_row(u.group), rows = r.rows_of(u.group);
  const auto length = r.wide ? 1 : r.run;  // what can be cut
  const auto total = rows * r.lines.count * length;
  auto at = extend::shard_begin(total, of, part);
  const auto end = extend::shard_begin(total, of, part + 1);
  if (at == end) return;
  if (r.solid()) {
    f(start * r.width + at, end - at);
    return;
  }
  auto line = at / length, inside = at % length;
  auto i = line / r.lines.count, b = line % r.lines.count;
  while (at < end) {
    const auto n = std::min(length - inside, end - at);
    const auto place =
        r.row(start + i) * r.width + r.outer(u.outer) + r.lines(b) + inside + u.column;
    f(place, r.wide ? u.columns : n);
    at += n;
    inside = 0;
    if (++b == r.lines.count) b = 0, ++i;
  }
}

/// Folds n values side by side into one state: as the fold does, or in lanes that the compiler can
/// keep in vectors.
template <class Fold, class T>
void take(const Fold& f, typename Fold::State& s, const T* x, std::int64_t n, std::int64_t to) {
  if constexpr (requires { f.add_many(s, x, n); }) {
    f.add_many(s, x, n);
    return;
  }
  constexpr std::int64_t lanes = 16;
  std::int64_t i = 0;
  if (n >= 2 * lanes) {
    typename Fold::State lane[lanes];
    for (auto& l : lane) l = f.start();
    for (; i + lanes <= n; i += lanes) {
      for (std::int64_t k = 0; k < lanes; ++k) f.add(lane[k], x + i + k, to);
    }
    for (const auto& l : lane) f.join(s, l);
  }
  for (; i < n; ++i) f.add(s, x + i, to);
}

template <class Fold, class T>
void fold_unit(const Reduction& r, const Unit& u, std::int64_t part, std::int64_t of, const T* x,
               const Fold& f, typename Fold::State* states) {
  for (std::int64_t c = 0; c < u.columns; ++c) states[c] = f.start();
  const auto to = result(r, u);
  walk(r, u, part, of, [&](std::int64_t at, std::int64_t n) {
    if (r.wide) {
      for (std::int64_t c = 0; c < n; ++c) f.add(states[c], x + at + c, to + c);
    } else {
      take(f, *states, x + at, n, to);
    }
  });
}

}  // namespace reduction

/// Calls finish(result, state, n) for every result, in order within a unit; `state` folds the n
/// values that meet there. A Fold has a type State, start(), add(state, value*, result) and
/// join(state, later state), and may have add_many(state, values, n). The order of adding is fixed,
/// whatever the number of threads.
template <class T, class Fold, class Finish>
void fold(const Reduction& r, const T* x, const Fold& f, Finish&& finish) {
  using State = typename Fold::State;
  using namespace reduction;
  const auto n = units(r), of = parts(r);
  const auto width = r.wide ? std::min(block, r.run) : 1;
  const auto finish_unit = [&](const Unit& u, const State* states) {
    const auto to = result(r, u), terms = r.terms(u.group);
    for (std::int64_t c = 0; c < u.columns; ++c) finish(to + c, states[c], terms);
  };
  if (of == 1) {
    const auto shards = std::min(n, extend::shard_count(values(r) + n, elementwise_grain));
    extend::parallel_for(shards, [&](std::int64_t s) {
      extend::Pooled<State> states(width);
      for (auto i = extend::shard_begin(n, shards, s); i < extend::shard_begin(n, shards, s + 1);
           ++i) {
        const Unit u = unit(r, i);
        fold_unit(r, u, 0, 1, x, f, states.data());
        finish_unit(u, states.data());
      }
    });
    return;
  }
  extend::Pooled<State> states(n * of * width);
  extend::parallel_for(n * of, [&](std::int64_t task) {
    fold_unit(r, unit(r, task / of), task % of, of, x, f, states.data() + task * width);
  });
  for (std::int64_t i = 0; i < n; ++i) {
    const Unit u = unit(r, i);
    State* sum = states.data() + i * of * width;
    for (std::int64_t part = 1; part < of; ++part) {
      for (std::int64_t c = 0; c < u.columns; ++c) f.join(sum[c], sum[part * width + c]);
    }
    finish_unit(u, sum);
  }
}

/// Calls f(at, result, step, n, terms) for every piece: its n values belong to the results
/// result, result + step, ..., each of which is made of `terms` values; step is 0 or 1.
template <class F>
void over_results(const Reduction& r, F&& f) {
  using namespace reduction;
  const auto n = units(r), of = parts(r);
  const auto shards =
      of == 1 ? std::min(n, extend::shard_count(values(r), elementwise_grain)) : n * of;
  extend::parallel_for(shards, [&](std::int64_t s) {
    for (auto i = extend::shard_begin(n * of, shards, s);
         i < extend::shard_begin(n * of, shards, s + 1); ++i) {
      const Unit u = unit(r, i / of);
      const auto to = result(r, u), terms = r.terms(u.group);
      walk(r, u, i % of, of, [&](std::int64_t at, std::int64_t count) {
        f(at, to, std::int64_t{r.wide}, count, terms);
      });
    }
  });
}

/// Calls f(i, k) for the n values of a piece: value i belongs to result `result` + k.
template <class F>
void each_value(std::int64_t n, std::int64_t step, F&& f) {
  if (step == 0) {
    for (std::int64_t i = 0; i < n; ++i) f(i, std::int64_t{0});
  } else {
    for (std::int64_t i = 0; i < n; ++i) f(i, i);
  }
}

}  // namespace maskgrad::kernels
