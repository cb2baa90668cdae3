#include <maskgrad/layers/metrics/edit_distance.hpp>

#include <algorithm>
#include <numeric>

#include <maskgrad/autograd/check.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/sequences.hpp>

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
  const auto runs = sequences_of(x);
  const bool samples = x.has_mask() && x.mask().rank() == 1;
  std::vector<Tokens> all(static_cast<std::size_t>(x.shape()[0]));
  for (std::int64_t r = 0; r < runs.count(); ++r) {
    const auto s = samples ? x.mask().impl().positions[r] : r;
    all[static_cast<std::size_t>(s)] = stored.subspan(static_cast<std::size_t>(runs.first[r]),
                                                      static_cast<std::size_t>(runs.length[r]));
  }
  return all;
}

/// x, and without the sequences that the other's mask [batch] hides.
Tensor seen_by(const Tensor& x, const Tensor& other) {
  const bool samples = other.has_mask() && other.mask().rank() == 1;
  return samples ? with_mask(x, other.mask()) : x;
}

}  // namespace

void EditDistance::write_options(OptionWriter& writer) const {
  EditDistanceOptions::each_option(options_, writer);
}

MetricSums::Sums EditDistance::measure(const Tensor& y_true, const Tensor& y_pred,
                                       const Tensor& sample_weight) const {
  for (const auto& x : {y_true, y_pred}) {
    check::ids(kind(), x);
    check::rank(kind(), x, 2, "[batch, time]");
  }
  if (y_true.size(0) != y_pred.size(0)) {
    fail<ShapeError>(kind(), "y_true {} for y_pred {}; expected the same batch", y_true.describe(),
                     y_pred.describe());
  }
  const Tensor t = seen_by(y_true, y_pred), p = seen_by(y_pred, y_true);
  const auto truths = sequences(t), guesses = sequences(p);
  std::vector<double> errors, sizes;
  std::vector<bool> some;
  for (std::size_t s = 0; s < truths.size(); ++s) {
    errors.push_back(static_cast<double>(distance(truths[s], guesses[s])));
    sizes.push_back(options_.normalize ? static_cast<double>(truths[s].size()) : 1);
    some.push_back(!truths[s].empty() || !guesses[s].empty());
  }
  const Mask there = Mask::keep(some, {t.shape()[0]});
  const auto summed = [&](const std::vector<double>& values) {
    return over(with_mask(tensor(values, there.shape()), there), sample_weight).values[0];
  };
  return {{summed(errors)}, summed(sizes)};
}

}  // namespace maskgrad
