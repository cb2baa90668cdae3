#include <maskgrad/autograd/ops/crf.hpp>

#include <algorithm>
#include <utility>

#include <maskgrad/autograd/ops/chains.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

namespace maskgrad {
namespace {

using chains::log_of_0;

constexpr std::string_view op = "crf_negative_log_likelihood";

/// log(sum of exp(f(i))) over n values.
template <class F>
double log_sum(std::int64_t n, F&& f) {
  double top = log_of_0, sum = 0;
  for (std::int64_t i = 0; i < n; ++i) top = std::max(top, f(i));
  if (top == log_of_0) return top;
  for (std::int64_t i = 0; i < n; ++i) sum += std::exp(f(i) - top);
  return top + std::log(sum);
}

/// y = e^(x - top), top the greatest of x, which is given back.
double odds_of(const double* x, std::int64_t n, double* y) {
  const double top = *std::max_element(x, x + n);
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] - top;
  kernels::simd::exp(y, y, n);
  return top;
}

/// e^(transition - top) from each tag to each, and turned: with them a log sum over tags takes
/// products and a single logarithm.
struct Odds {
  template <Real T>
  Odds(const T* transitions, std::int64_t tags) : to(tags * tags), from(tags * tags) {
    Pooled<double> all(tags * tags);
    std::copy_n(transitions, tags * tags, all.data());
    top = odds_of(all.data(), tags * tags, to.data());
    for (std::int64_t i = 0; i < tags; ++i) {
      for (std::int64_t j = 0; j < tags; ++j) from[j * tags + i] = to[i * tags + j];
    }
  }
  Pooled<double> to, from;
  double top;
};
constexpr double fewest = 1e-200;  // a sum below may lack what was rounded to 0

/// One sample's potentials [steps, tags], and the transitions.
template <Real T>
struct Chain {
  const T *x, *transitions;
  std::int64_t steps, tags;

  double potential(std::int64_t t, std::int64_t j) const { return x[t * tags + j]; }
  double transition(std::int64_t i, std::int64_t j) const { return transitions[i * tags + j]; }

  double score(const std::int64_t* path) const {
    double total = 0;
    for (std::int64_t t = 0; t < steps; ++t) {
      total += potential(t, path[t]);
      if (t > 0) total += transition(path[t - 1], path[t]);
    }
    return total;
  }

  /// to[j] = log(sum over i of e^(from[i] + the transition's score from i to j)); `turned`: from j
  /// to i. `room` has [2, tags].
  void log_sums(const Odds& odds, bool turned, const double* from, double* to, double* room) const {
    double *own = room, *sums = room + tags;
    const double top = odds_of(from, tags, own) + odds.top;
    std::fill_n(sums, tags, 0);
    for (std::int64_t i = 0; i < tags; ++i) {
      const double* row = (turned ? odds.from : odds.to).data() + i * tags;
      for (std::int64_t j = 0; j < tags; ++j) sums[j] += own[i] * row[j];
    }
    kernels::simd::log(sums, to, tags);
    for (std::int64_t j = 0; j < tags; ++j) {
      to[j] += top;
      if (sums[j] > fewest) continue;
      to[j] = log_sum(
          tags, [&](auto i) { return from[i] + (turned ? transition(j, i) : transition(i, j)); });
    }
  }

  /// alpha [steps, tags]: the log sum of the scores of all paths that end there; gives that of all.
  double forward(const Odds& odds, double* alpha, double* room) const {
    for (std::int64_t j = 0; j < tags; ++j) alpha[j] = potential(0, j);
    for (std::int64_t t = 1; t < steps; ++t) {
      double* now = alpha + t * tags;
      log_sums(odds, false, now - tags, now, room);
      for (std::int64_t j = 0; j < tags; ++j) now[j] += potential(t, j);
    }
    const double* last = alpha + (steps - 1) * tags;
    return log_sum(tags, [&](auto j) { return last[j]; });
  }

  /// Adds dy times the gradients: the share of the paths through each tag and transition, less
  /// those of `path`. `room` has [5, tags].
  void backward(const Odds& odds, const double* alpha, double total, const std::int64_t* path,
                double dy, T* dx, double* dtransitions, double* room) const {
    double *beta = room, *next = room + tags, *share = room + 2 * tags;
    std::fill_n(beta, tags, 0);
    for (auto t = steps - 1; t >= 0; --t) {
      const double* now = alpha + t * tags;
      for (std::int64_t j = 0; j < tags; ++j) share[j] = now[j] + beta[j] - total;
      kernels::simd::exp(share, share, tags);
      for (std::int64_t j = 0; j < tags; ++j) {
        if (dx) dx[t * tags + j] += static_cast<T>(dy * (share[j] - (path[t] == j)));
        next[j] = potential(t, j) + beta[j];
      }
      if (t == 0) break;
      if (dtransitions) pairs(odds, now - tags, next, total, dy, dtransitions, room + 3 * tags);
      if (dtransitions) dtransitions[path[t - 1] * tags + path[t]] -= dy;
      log_sums(odds, true, next, beta, room + 3 * tags);
    }
  }

  /// Adds dy times the share of the paths through each transition; `room` has [2, tags].
  void pairs(const Odds& odds, const double* before, const double* next, double total, double dy,
             double* dtransitions, double* room) const {
    double *first = room, *second = room + tags;
    const double top = odds_of(before, tags, first) + odds_of(next, tags, second);
    const double scale = std::exp(top + odds.top - total);
    if (scale < 1 / fewest) {
      for (std::int64_t i = 0; i < tags; ++i) {
        const double by = dy * scale * first[i];
        const double* row = odds.to.data() + i * tags;
        double* to = dtransitions + i * tags;
        for (std::int64_t j = 0; j < tags; ++j) to[j] += by * row[j] * second[j];
      }
      return;
    }
    for (std::int64_t i = 0; i < tags; ++i) {  // the greatest of all three belong to no path
      for (std::int64_t j = 0; j < tags; ++j) {
        dtransitions[i * tags + j] += dy * std::exp(before[i] + transition(i, j) + next[j] - total);
      }
    }
  }

  /// The path of the greatest score; `best` has room for two steps, `from` for all.
  void decode(std::int64_t* path, double* best, std::int32_t* from) const {
    double* next = best + tags;
    for (std::int64_t j = 0; j < tags; ++j) best[j] = potential(0, j);
    for (std::int64_t t = 1; t < steps; ++t) {
      for (std::int64_t j = 0; j < tags; ++j) {
        std::int64_t top = 0;
        for (std::int64_t i = 1; i < tags; ++i) {
          if (best[i] + transition(i, j) > best[top] + transition(top, j)) top = i;
        }
        from[t * tags + j] = static_cast<std::int32_t>(top);
        next[j] = best[top] + transition(top, j) + potential(t, j);
      }
      std::swap(best, next);
    }
    path[steps - 1] = std::max_element(best, best + tags) - best;
    for (auto t = steps - 1; t > 0; --t) path[t - 1] = from[t * tags + path[t]];
  }
};

template <Real T>
Chain<T> chain(const chains::Steps& steps, const Tensor& x, const Tensor& transitions,
               std::int64_t b) {
  const auto tags = x.shape().back();
  return {rows::of<T>(x).data() + steps.first[b] * tags, rows::of<T>(transitions).data(),
          steps.length[b], tags};
}

std::int64_t work_of(const Tensor& x) {
  return rows::total(x) * x.shape().back();
}

void check_chain(std::string_view where, const Tensor& x, const Tensor& transitions) {
  check::real(where, x);
  check::same_dtype(where, x, transitions);
  check::rank(where, x, 3, "[batch, time, tags]");
  check::inner_axis(where, x, -1, "mask whole steps");
  const auto tags = x.shape().back();
  if (transitions.has_mask() || transitions.rank() != 2 || tags == 0 ||
      !fits(transitions.shape(), {tags, tags})) {
    fail<ShapeError>(where,
                     "transitions {} for potentials {}; expected transitions [tags, tags], at "
                     "least one tag, and potentials [batch, time, tags]",
                     transitions.describe(), x.describe());
  }
}

void check_tags(const Tensor& ids, const Tensor& x) {
  const auto tags = x.shape().back();
  for (const auto id : rows::of<std::int64_t>(ids)) {
    if (id >= 0 && id < tags) continue;
    fail<IndexError>(op, "a tag of {} is {}; expected 0 to {}", ids.describe(), id, tags - 1);
  }
}

/// What backward needs of a call.
struct Kept {
  Tensor ids;
  chains::Steps steps;
  Pooled<double> alpha, total;  // as x; [batch]
};

template <Real T>
void forward(Kept& kept, const Tensor& x, const Tensor& transitions, const Tensor& y) {
  const auto tags = x.shape().back();
  const auto* ids = rows::of<std::int64_t>(kept.ids).data();
  T* to = rows::of_mutable<T>(y).data();
  const Odds odds(rows::of<T>(transitions).data(), tags);
  chains::over_samples(
      kept.steps.batch(), work_of(x), [&](std::int64_t, std::int64_t from, std::int64_t end) {
        Pooled<double> room(2 * tags);
        for (auto b = from; b < end; ++b) {
          const auto row = chains::row_of(y, b), first = kept.steps.first[b];
          if (row < 0) continue;
          const auto c = chain<T>(kept.steps, x, transitions, b);
          kept.total[b] = c.forward(odds, kept.alpha.data() + first * tags, room.data());
          to[row] = static_cast<T>(kept.total[b] - c.score(ids + first));
        }
      });
}

template <Real T>
void backward(const Kept& kept, const Tensor& x, const Tensor& transitions, const Tensor& dy,
              Grads& grads) {
  const auto tags = x.shape().back(), pairs = tags * tags;
  const auto parts = chains::shards(kept.steps.batch(), work_of(x));
  Pooled<double> sums(grads.wants(1) ? parts * pairs : 0);
  std::fill(sums.begin(), sums.end(), 0);
  T* dx = grads.wants(0) ? grads.into<T>(0).data() : nullptr;
  const T* d = rows::of<T>(dy).data();
  const auto* ids = rows::of<std::int64_t>(kept.ids).data();
  const Odds odds(rows::of<T>(transitions).data(), tags);
  chains::over_samples(
      kept.steps.batch(), work_of(x), [&](std::int64_t s, std::int64_t from, std::int64_t end) {
        Pooled<double> room(5 * tags);
        for (auto b = from; b < end; ++b) {
          const auto row = chains::row_of(dy, b), first = kept.steps.first[b];
          if (row < 0) continue;
          chain<T>(kept.steps, x, transitions, b)
              .backward(odds, kept.alpha.data() + first * tags, kept.total[b], ids + first, d[row],
                        dx ? dx + first * tags : nullptr,
                        sums.empty() ? nullptr : sums.data() + s * pairs, room.data());
        }
      });
  if (!grads.wants(1)) return;
  T* to = grads.into<T>(1).data();
  for (std::int64_t i = 0; i < sums.size(); ++i) to[i % pairs] += static_cast<T>(sums[i]);
}

}  // namespace

Tensor crf_negative_log_likelihood(const Tensor& tags, const Tensor& potentials,
                                   const Tensor& transitions) {
  check::ids(op, tags);
  check_chain(op, potentials, transitions);
  if (!fits(tags.shape(), potentials.shape().sub(0, 2))) {
    fail<ShapeError>(op,
                     "tags {} for potentials {}; expected [batch, time] and [batch, time, tags]",
                     tags.describe(), potentials.describe());
  }
  const Tensor x = tags.has_mask() ? with_mask(potentials, tags.mask()) : potentials;
  const auto batch = x.shape()[0];
  if (x.is_meta() || tags.is_meta()) {
    return rows::make_meta({batch}, x.dtype(), chains::kept_meta(op, x));
  }
  Kept kept{x.has_mask() ? with_mask(tags, x.mask()) : tags, chains::Steps(x),
            Pooled<double>(rows::total(x)), Pooled<double>(batch)};
  check_tags(kept.ids, x);
  Pooled<std::uint8_t> there(batch);
  for (std::int64_t b = 0; b < batch; ++b) there[b] = kept.steps.length[b] > 0;
  const Tensor y = rows::make({batch}, x.dtype(), chains::kept(op, x, there));
  dispatch_real(op, x.dtype(), [&]<class T>() { forward<T>(kept, x, transitions, y); });
  return record(op, y, {x, transitions},
                [kept, x = Saved(x), w = Saved(transitions)](const Tensor& dy, Grads& grads) {
                  dispatch_real(op, dy.dtype(),
                                [&]<class T>() { backward<T>(kept, x.get(), w.get(), dy, grads); });
                });
}

Tensor crf_decode(const Tensor& potentials, const Tensor& transitions) {
  constexpr std::string_view where = "crf_decode";
  check_chain(where, potentials, transitions);
  const Tensor& x = potentials;
  const Shape shape = x.shape().sub(0, 2);
  if (x.is_meta()) return rows::make_meta(shape, DType::i64, x.mask());
  const Tensor y = rows::make(shape, DType::i64, x.mask());
  const chains::Steps steps(x);
  auto* to = rows::of_mutable<std::int64_t>(y).data();
  dispatch_real(where, x.dtype(), [&]<class T>() {
    chains::over_samples(steps.batch(), work_of(x),
                         [&](std::int64_t, std::int64_t from, std::int64_t end) {
                           const auto tags = x.shape().back();
                           Pooled<double> best(2 * tags);
                           Pooled<std::int32_t> origin(x.shape()[1] * tags);
                           for (auto b = from; b < end; ++b) {
                             if (steps.length[b] < 1) continue;
                             chain<T>(steps, x, transitions, b)
                                 .decode(to + steps.first[b], best.data(), origin.data());
                           }
                         });
  });
  return y;
}

}  // namespace maskgrad
