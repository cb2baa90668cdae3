#include <maskgrad/autograd/ops/sequence/pool_windows.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/sequence/window_walk.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/simd/at_level.hpp>

namespace maskgrad {
namespace {

using detail::WindowPool;

/// Features that are worked on at once, in buffers on the stack.
constexpr std::int64_t block = 128;

/// The steps of a window that its sequence has: `count` rows from `row` on, `apart` rows apart.
struct Window {
  std::int64_t row, count, apart;
};

/// The windows of all sequences, which lie one behind the other in the result.
struct Plan {
  Sequences sequences;
  Index begin;  // of each sequence its first window
  WindowOptions options;

  Plan(const Tensor& x, const WindowOptions& o)
      : sequences(sequences_of(x)), begin(sequences.count() + 1), options(o) {
    begin[0] = 0;
    for (std::int64_t s = 0; s < sequences.count(); ++s) {
      begin[s + 1] = begin[s] + window_walk::count_of(sequences.length[s], o);
    }
  }

  Window at(std::int64_t s, std::int64_t k) const {
    const auto length = sequences.length[s], d = options.dilation;
    const auto t = k * options.stride - window_walk::zeros_before(length, options);
    const auto skipped = t < 0 ? (-t + d - 1) / d : 0, first = t + skipped * d;
    const auto there = first < length ? (length - 1 - first) / d + 1 : 0;
    return {sequences.first[s] + first, std::min(options.width - skipped, there), d};
  }

  /// Whether a step is in one window at most, and only the last steps of a sequence in none.
  bool cover() const { return options.dilation == 1 && options.stride == options.width; }
  /// Sets the steps to 0 that are in no window, where windows cover.
  template <class T>
  void clear_rest(std::int64_t features, T* x) const {
    for (std::int64_t s = 0; s < sequences.count(); ++s) {
      const auto windows = begin[s + 1] - begin[s], end = sequences.first[s] + sequences.length[s];
      auto from = sequences.first[s];
      if (windows > 0) {
        const Window last = at(s, windows - 1);
        from = last.row + last.count;
      }
      std::fill(x + from * features, x + end * features, T(0));
    }
  }

  /// Calls f(result's row, window) for each window, on threads; those of a sequence on one thread
  /// and in order where they are `together`, as they share steps that are written to.
  template <class F>
  void each(std::int64_t features, bool together, const F& f) const {
    const auto windows = begin[sequences.count()];
    const auto shards =
        extend::shard_count(windows * features * options.width, kernels::elementwise_grain);
    const auto cut = [&](std::int64_t shard) {
      const auto at = extend::shard_begin(windows, shards, shard);
      return together ? *std::lower_bound(begin.begin(), begin.end(), at) : at;
    };
    extend::parallel_for(shards, [&](std::int64_t shard) {
      const auto end = cut(shard + 1);
      auto w = cut(shard);
      auto s = std::upper_bound(begin.begin(), begin.end(), w) - begin.begin() - 1;
      kernels::simd::at_level([&] {
        for (; w < end; ++w) {
          while (w >= begin[s + 1]) ++s;
          f(w, at(s, w - begin[s]));
        }
      });
    });
  }
};

template <Real T>
void greatest(const T* x, const Window& w, std::int64_t features, T* y) {
  std::fill_n(y, features, -std::numeric_limits<T>::infinity());
  for (std::int64_t i = 0; i < w.count; ++i) {
    const T* row = x + (w.row + i * w.apart) * features;
    for (std::int64_t f = 0; f < features; ++f) {
      const T v = row[f], before = y[f];
      y[f] = ((v > before) | (v != v)) ? v : before;
    }
  }
}

/// Sums are in f64; where one of f64 is beyond it, once more by shares.
template <Real T>
void average(const T* x, const Window& w, std::int64_t features, T* y) {
  std::array<double, block> sums;
  const auto count = static_cast<double>(w.count);
  // To divide takes longer than to add up; f32 rounds away which of the two was done.
  constexpr bool rounds = std::is_same_v<T, float>;
  const double share = 1 / count;
  for (std::int64_t at = 0; at < features; at += block) {
    const auto n = std::min(block, features - at);
    const auto add_up = [&](double scale) {
      std::fill_n(sums.begin(), n, 0.0);
      for (std::int64_t i = 0; i < w.count; ++i) {
        const T* row = x + (w.row + i * w.apart) * features + at;
        for (std::int64_t f = 0; f < n; ++f) {
          sums[static_cast<std::size_t>(f)] += static_cast<double>(row[f]) * scale;
        }
      }
    };
    add_up(1);
    bool finite = true;
    for (std::int64_t f = 0; f < n; ++f) {
      const double sum = sums[static_cast<std::size_t>(f)],
                   mean = rounds ? sum * share : sum / count;
      finite &= std::abs(mean) <= std::numeric_limits<double>::max();
      y[at + f] = static_cast<T>(mean);
    }
    if (finite || rounds) continue;
    constexpr double scale = 0x1p-64;
    add_up(scale);
    for (std::int64_t f = 0; f < n; ++f) {
      y[at + f] = static_cast<T>(sums[static_cast<std::size_t>(f)] / count / scale);
    }
  }
}

/// Puts what of dy goes to the steps that are y, an equal share where some tie: to dx, which has
/// nothing yet where it is fresh, or to what stands there.
template <Real T>
void to_greatest(const T* x, const T* y, const T* dy, const Window& w, std::int64_t features,
                 bool fresh, T* dx) {
  std::array<T, block> share;
  for (std::int64_t at = 0; at < features; at += block) {
    const auto n = std::min(block, features - at);
    std::fill_n(share.begin(), n, T(0));
    for (std::int64_t i = 0; i < w.count; ++i) {
      const T* row = x + (w.row + i * w.apart) * features + at;
      for (std::int64_t f = 0; f < n; ++f) {
        share[static_cast<std::size_t>(f)] += T(row[f] == y[at + f]);
      }
    }
    for (std::int64_t f = 0; f < n; ++f) {
      T& own = share[static_cast<std::size_t>(f)];
      own = ((dy[at + f] == 0) | (own == 0)) ? T(0) : dy[at + f] / own;
    }
    for (std::int64_t i = 0; i < w.count; ++i) {
      const auto place = (w.row + i * w.apart) * features + at;
      const auto own = [&](std::int64_t f) {
        return x[place + f] == y[at + f] ? share[static_cast<std::size_t>(f)] : T(0);
      };
      for (std::int64_t f = 0; fresh && f < n; ++f) dx[place + f] = own(f);
      for (std::int64_t f = 0; !fresh && f < n; ++f) dx[place + f] += own(f);
    }
  }
}

template <Real T>
void to_all(const T* dy, const Window& w, std::int64_t features, bool fresh, T* dx) {
  const T share = T(1) / static_cast<T>(w.count);
  for (std::int64_t i = 0; i < w.count; ++i) {
    T* to = dx + (w.row + i * w.apart) * features;
    for (std::int64_t f = 0; fresh && f < features; ++f) to[f] = dy[f] * share;
    for (std::int64_t f = 0; !fresh && f < features; ++f) to[f] += dy[f] * share;
  }
}

Tensor composed(WindowPool pool, const Tensor& x, const WindowOptions& o) {
  if (pool == WindowPool::max) {
    return max(windows(x, o, -std::numeric_limits<double>::infinity()), {2});
  }
  const Tensor w = windows(x, o);
  return o.padding == Padding::valid ? mean(w, {2}) : sum(w, {2}) / window_sizes(x, o);
}

}  // namespace

Tensor detail::pool_windows(WindowPool pool, const Tensor& x, const WindowOptions& o) {
  const std::string_view op = pool == WindowPool::max ? "max_windows" : "mean_windows";
  check::real(op, x);
  window_walk::check_call(op, x, o);
  const auto time = window_walk::count_of(x.shape()[1], o), features = x.shape()[2];
  const Shape shape{x.shape()[0], time, features};
  const Mask mask = window_walk::mask_of(x, time, o);
  if (x.is_meta()) return rows::make_meta(shape, x.dtype(), mask);
  const Plan plan(x, o);
  const Tensor y = rows::make(shape, x.dtype(), mask);
  dispatch_real(op, x.dtype(), [&]<class T>() {
    const T* from = rows::of<T>(x).data();
    T* to = rows::of_mutable<T>(y).data();
    plan.each(features, false, [=](std::int64_t row, const Window& w) {
      if (pool == WindowPool::max) {
        greatest(from, w, features, to + row * features);
      } else {
        average(from, w, features, to + row * features);
      }
    });
  });
  const bool shared = window_walk::span_of(o) > o.stride;
  return record(op, y, {x},
                [pool, o, plan, features, shared, x = Saved(x), y](const Tensor& dy, auto& grads) {
                  if constexpr (is_adjoint<decltype(grads)>) {
                    grads.through(composed(pool, grads.input(0, x), o));
                  } else {
                    dispatch_real("backward", dy.dtype(), [&]<class T>() {
                      const T *d = rows::of<T>(dy).data(), *px = rows::of<T>(x.get()).data();
                      const T* py = rows::of<T>(y).data();
                      const auto target =
                          plan.cover() ? grads.template target<T>(0)
                                       : Grads::Target<T>{grads.template into<T>(0).data(), false};
                      T* dx = target.values;
                      const bool fresh = target.fresh;
                      if (fresh) plan.clear_rest(features, dx);
                      plan.each(features, shared, [=](std::int64_t row, const Window& w) {
                        const auto at = row * features;
                        if (pool == WindowPool::max) {
                          to_greatest(px, py + at, d + at, w, features, fresh, dx);
                        } else {
                          to_all(d + at, w, features, fresh, dx);
                        }
                      });
                    });
                  }
                });
}

}  // namespace maskgrad
