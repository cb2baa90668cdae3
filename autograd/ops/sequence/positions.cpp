#include <maskgrad/autograd/ops/sequence/positions.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad {
namespace {

void check_steps(std::string_view op, const Tensor& x) {
  if (x.rank() < 2) {
    fail<ShapeError>(op, "input is {}; expected [batch, time, ...]", x.describe());
  }
  check::whole_steps(op, x, "more than its steps");
}

/// Steps are counted from here: as far as f64 tells one position from the next.
void check_start(std::string_view op, std::int64_t start) {
  constexpr std::int64_t most = std::int64_t{1} << 53;
  if (start >= -most && start <= most) return;
  fail<OptionError>(op, "start is {}; expected a position from {} to {}", start, -most, most);
}

/// Calls f(place, cosines, sines), in f64, of the angles position * frequency for `count`
/// positions from `first`. Every 32nd position is computed as such, those behind it by turning on
/// from there, which is as exact and much cheaper; a position's values do not depend on where the
/// range begins.
template <class F>
void each_turn(std::int64_t first, std::int64_t count, const std::vector<double>& frequencies,
               F&& f) {
  constexpr std::int64_t block = 32;
  const auto n = static_cast<std::int64_t>(frequencies.size());
  Pooled<double> turn(2 * n), at(2 * n);
  double *const step_cos = turn.data(), *const step_sin = step_cos + n;
  double* __restrict c = at.data();
  double* __restrict s = c + n;
  const auto set = [&](double* cos, double* sin, double position) {
    for (std::int64_t k = 0; k < n; ++k) {
      cos[k] = std::cos(position * frequencies[static_cast<std::size_t>(k)]);
      sin[k] = std::sin(position * frequencies[static_cast<std::size_t>(k)]);
    }
  };
  set(step_cos, step_sin, 1);
  const auto end = first + count;
  for (auto anchor = first - ((first % block) + block) % block; anchor < end; anchor += block) {
    set(c, s, static_cast<double>(anchor));
    for (auto p = anchor; p < std::min(anchor + block, end); ++p) {
      if (p >= first) f(p - first, c, s);
      for (std::int64_t k = 0; k < n; ++k) {
        const double turned = c[k] * step_cos[k] - s[k] * step_sin[k];
        s[k] = s[k] * step_cos[k] + c[k] * step_sin[k];
        c[k] = turned;
      }
    }
  }
}

/// The positions of the steps, each once: tables have a row for each, wherever they stand.
struct Distinct {
  explicit Distinct(const Tensor& at) {
    const auto steps = rows::of<std::int64_t>(at);
    if (steps.empty()) return;
    const auto [least, most] = std::minmax_element(steps.begin(), steps.end());
    const auto range = *most - *least + 1;
    row = extend::Index(std::ssize(steps));
    if (range <= 2 * std::ssize(steps)) {  // those in between cost less than to find the others
      runs.push_back({*least, range, 0});
      rows = range;
      for (std::int64_t r = 0; r < row.size(); ++r)
        row[r] = steps[static_cast<std::size_t>(r)] - *least;
      return;
    }
    for (std::int64_t r = 0; r < row.size(); ++r) {
      const auto p = steps[static_cast<std::size_t>(r)];
      if (r == 0 || p != steps[static_cast<std::size_t>(r - 1)] + 1) runs.push_back({p, 0, rows});
      ++runs.back().count;
      row[r] = rows++;
    }
  }
  struct Run {
    std::int64_t first, count, row;
  };
  std::vector<Run> runs;
  extend::Index row;  ///< of each step
  std::int64_t rows = 0;
};

/// The turns of the positions, as rows of cosines and of sines.
template <class T>
struct Turns {
  extend::Index row;  ///< of each step
  Pooled<T> cos, sin;
};

template <class T>
Turns<T> turns_of(const Tensor& at, const std::vector<double>& frequencies) {
  Distinct distinct(at);
  const auto n = static_cast<std::int64_t>(frequencies.size());
  Turns<T> turns{std::move(distinct.row), Pooled<T>(distinct.rows * n),
                 Pooled<T>(distinct.rows * n)};
  for (const auto& run : distinct.runs) {
    each_turn(run.first, run.count, frequencies,
              [&](std::int64_t p, const double* c, const double* s) {
                for (std::int64_t k = 0; k < n; ++k) {
                  turns.cos[(run.row + p) * n + k] = static_cast<T>(c[k]);
                  turns.sin[(run.row + p) * n + k] = static_cast<T>(s[k]);
                }
              });
  }
  return turns;
}

/// Turns every step of `x` by `sign` times its angles, `n` of them.
template <class T>
Tensor turned(const Tensor& x, const Turns<T>& turns, std::int64_t n, T sign) {
  const Tensor y = rows::make(x.shape(), x.dtype(), x.mask());
  const auto groups = x.shape().count(2, x.rank() - 1);
  const T* in = rows::of<T>(x).data();
  T* out = rows::of_mutable<T>(y).data();
  const auto width = 2 * n * groups;
  const auto least =
      std::max<std::int64_t>(1, kernels::elementwise_grain / std::max<std::int64_t>(width, 1));
  const auto count = turns.row.size();
  const auto shards = shard_count(count, least);
  parallel_for(shards, [&](std::int64_t s) {
    for (auto r = shard_begin(count, shards, s); r < shard_begin(count, shards, s + 1); ++r) {
      const auto line = turns.row[r] * n;
      const T *c = turns.cos.data() + line, *d = turns.sin.data() + line;
      for (std::int64_t g = 0; g < groups; ++g) {
        const T* a = in + r * width + g * 2 * n;
        T* __restrict b = out + r * width + g * 2 * n;
        for (std::int64_t i = 0; i < n; ++i) {
          b[i] = a[i] * c[i] - sign * a[n + i] * d[i];
          b[n + i] = a[n + i] * c[i] + sign * a[i] * d[i];
        }
      }
    }
  });
  return y;
}

}  // namespace

Tensor positions(const Tensor& x, std::int64_t start) {
  check_steps("positions", x);
  check_start("positions", start);
  const Shape shape = x.shape().sub(0, 2);
  if (x.is_meta()) return rows::make_meta(shape, DType::i64, x.mask());
  const Tensor y = rows::make(shape, DType::i64, x.mask());
  const auto out = rows::of_mutable<std::int64_t>(y);
  const Sequences sequences = sequences_of(x);
  for (std::int64_t s = 0; s < sequences.count(); ++s) {
    for (std::int64_t t = 0; t < sequences.length[s]; ++t) {
      out[static_cast<std::size_t>(sequences.first[s] + t)] = start + t;
    }
  }
  return y;
}

namespace {

/// Throws unless `at` has a position for each step of x.
void check_at(std::string_view op, const Tensor& x, const Tensor& at) {
  if (at.dtype() == DType::i64 && at.shape() == x.shape().sub(0, 2) && at.mask() == x.mask())
    return;
  fail<ShapeError>(op, "the positions are {} for input {}; expected i64 {} under the same mask",
                   at.describe(), x.describe(), x.shape().sub(0, 2));
}

void check_sine(std::string_view op, const Tensor& x, const std::vector<double>& frequencies) {
  check::real(op, x);
  check_steps(op, x);
  const auto features = x.shape().back();
  const auto pairs = features == any ? any : (features + 1) / 2;
  if (x.rank() == 3 && fits(pairs, static_cast<std::int64_t>(frequencies.size()))) return;
  fail<ShapeError>(op,
                   "input is {} with {} frequencies; expected [batch, time, features], and a "
                   "frequency for each two features",
                   x.describe(), frequencies.size());
}

void check_rotation(std::string_view op, const Tensor& x, std::int64_t n) {
  check::real(op, x);
  check_steps(op, x);
  if (x.rank() >= 3 && fits(x.shape().back(), 2 * n)) return;
  fail<ShapeError>(op, "input is {} with {} frequencies; expected [batch, time, ..., {}]",
                   x.describe(), n, 2 * n);
}

constexpr std::string_view sine_op = "sine_positions", rotate_op = "rotate_by_position";

}  // namespace

Tensor sine_positions(const Tensor& x, const std::vector<double>& frequencies, std::int64_t start) {
  check_sine(sine_op, x, frequencies);
  check_start(sine_op, start);
  return sine_positions(x, frequencies, positions(x, start));
}

Tensor sine_positions(const Tensor& x, const std::vector<double>& frequencies, const Tensor& at) {
  check_sine(sine_op, x, frequencies);
  check_at(sine_op, x, at);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const auto features = x.shape().back();
  const Distinct distinct(at);
  const Tensor table = rows::make({distinct.rows, features}, x.dtype());
  dispatch_real(sine_op, x.dtype(), [&]<class T>() {
    T* out = rows::of_mutable<T>(table).data();
    for (const auto& run : distinct.runs) {
      each_turn(run.first, run.count, frequencies,
                [&](std::int64_t p, const double* c, const double* s) {
                  T* row = out + (run.row + p) * features;
                  for (std::int64_t i = 0; i + 1 < features; i += 2) {
                    row[i] = static_cast<T>(s[i / 2]);
                    row[i + 1] = static_cast<T>(c[i / 2]);
                  }
                  if (features % 2 == 1) row[features - 1] = static_cast<T>(s[features / 2]);
                });
    }
  });
  const Tensor rows_at = rows::make(at.shape(), DType::i64, at.mask());
  std::copy(distinct.row.begin(), distinct.row.end(),
            rows::of_mutable<std::int64_t>(rows_at).begin());
  return take(table, rows_at);
}

Tensor rotate_by_position(const Tensor& x, const std::vector<double>& frequencies,
                          std::int64_t start) {
  check_rotation(rotate_op, x, static_cast<std::int64_t>(frequencies.size()));
  check_start(rotate_op, start);
  return rotate_by_position(x, frequencies, positions(x, start));
}

Tensor rotate_by_position(const Tensor& x, const std::vector<double>& frequencies,
                          const Tensor& at) {
  const auto n = static_cast<std::int64_t>(frequencies.size());
  check_rotation(rotate_op, x, n);
  check_at(rotate_op, x, at);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  return dispatch_real(rotate_op, x.dtype(), [&]<class T>() {
    const auto turns = turns_of<T>(at, frequencies);
    return record_linear(
        rotate_op, turned<T>(x, turns, n, 1), {x},
        [turns, n](const Tensor& g) { return turned<T>(g, turns, n, 1); },
        [turns, n](const Tensor& dy, Grads& grads) { grads.add(0, turned<T>(dy, turns, n, -1)); });
  });
}

}  // namespace maskgrad
