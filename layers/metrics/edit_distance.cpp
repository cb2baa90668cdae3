#include <maskgrad/layers/metrics/edit_distance.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <maskgrad/autograd/check.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/layers/metrics/values.hpp>

namespace maskgrad {
namespace {

using Tokens = std::span<const std::int64_t>;

std::int64_t distance(Tokens a, Tokens b) {
  // to[j]: from the part of `a` so far to the first j tokens of `b`.
  std::vector<std::int64_t> to(b.size() + 1);
  std::iota(to.begin(), to.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::int64_t before = to[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto replaced = before + (a[i] != b[j]);
      before = to[j + 1];
      to[j + 1] = std::min({replaced, before + 1, to[j] + 1});
    }
  }
  return to.back();
}

/// The tokens of each sequence; of one that a mask [batch] hides, none.
std::vector<Tokens> sequences(const Tensor& x) {
  const auto stored = rows::of<std::int64_t>(x);
  const Sequences samples = samples_of(x);
  std::vector<Tokens> all(static_cast<std::size_t>(samples.count()));
  for (std::int64_t s = 0; s < samples.count(); ++s) {
    if (!samples.there(s)) continue;
    all[static_cast<std::size_t>(s)] = stored.subspan(static_cast<std::size_t>(samples.first[s]),
                                                      static_cast<std::size_t>(samples.length[s]));
  }
  return all;
}

/// Stands for a step whose scores have NaN among them.
constexpr std::int64_t no_token = std::numeric_limits<std::int64_t>::min();

/// Each step's token, that of the greatest score, the first of equal ones.
Tensor greatest(const Tensor& scores) {
  const Tensor ids = rows::make(scores.shape().sub(0, 2), DType::i64, scores.mask());
  extend::dispatch_real("EditDistance", scores.dtype(), [&]<class T>() {
    std::int64_t i = 0;
    for (auto& id : rows::of_mutable<std::int64_t>(ids)) {
      const auto own = metrics::row<T>(scores, i++);
      const auto top = std::max_element(own.begin(), own.end());
      id = metrics::any_nan(own) ? no_token : top - own.begin();
    }
  });
  return ids;
}

/// What CTC reads in a path.
std::vector<std::int64_t> without_blanks(Tokens path, std::int64_t blank) {
  std::vector<std::int64_t> read;
  for (std::size_t t = 0; t < path.size(); ++t) {
    if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) read.push_back(path[t]);
  }
  return read;
}

void check_call(std::string_view kind, const Tensor& y_true, const Tensor& y_pred) {
  check::ids(kind, y_true);
  check::rank(kind, y_true, 2, "[batch, time]");
  if (is_real(y_pred.dtype())) {
    check::rank(kind, y_pred, 3, "[batch, time, tokens], scores, or i64 ids [batch, time]");
    check::inner_axis(kind, y_pred, -1, "mask whole steps");
  } else {
    check::ids(kind, y_pred);
    check::rank(kind, y_pred, 2, "[batch, time]");
  }
  if (y_true.size(0) == y_pred.size(0)) return;
  fail<ShapeError>(kind, "y_true {} for y_pred {}; expected the same batch", y_true.describe(),
                   y_pred.describe());
}

/// x, and without the sequences that the other's mask [batch] hides.
Tensor seen_by(const Tensor& x, const Tensor& other) {
  const bool samples = other.has_mask() && other.mask().rank() == 1;
  return samples ? with_mask(x, other.mask()) : x;
}

}  // namespace

void EditDistance::write_options(extend::OptionWriter& writer) const {
  EditDistanceOptions::each_option(options_, writer);
}

Metric::Sums EditDistance::measure(const Tensor& y_true, const Tensor& y_pred,
                                   const Tensor& sample_weight) const {
  const bool scores = is_real(y_pred.dtype());
  check_call(kind(), y_true, y_pred);
  const Tensor t = seen_by(y_true, y_pred), p = seen_by(y_pred, y_true);
  const Tensor tokens = scores ? greatest(p) : p;
  const auto truths = sequences(t);
  const auto steps = sequences(tokens);
  auto guesses = steps;
  std::vector<std::vector<std::int64_t>> read;
  if (options_.blank_index) {
    for (auto& guess : guesses)
      guess = read.emplace_back(without_blanks(guess, *options_.blank_index));
  }
  std::vector<double> errors, sizes;
  std::vector<bool> some;  // has a step, whatever it reads as
  for (std::size_t s = 0; s < truths.size(); ++s) {
    const bool unknown =
        std::find(guesses[s].begin(), guesses[s].end(), no_token) != guesses[s].end();
    errors.push_back(unknown ? std::nan("") : static_cast<double>(distance(truths[s], guesses[s])));
    sizes.push_back(options_.normalize ? static_cast<double>(truths[s].size()) : 1);
    some.push_back(!truths[s].empty() || !steps[s].empty());
  }
  const Mask there = Mask::keep(some, {t.shape()[0]});
  const auto summed = [&](const std::vector<double>& values) {
    return over(with_mask(tensor(values, there.shape()), there), sample_weight).values[0];
  };
  return {{summed(errors)}, summed(sizes)};
}

}  // namespace maskgrad
