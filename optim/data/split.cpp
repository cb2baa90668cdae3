#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/core/random.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/data/batches.hpp>

namespace maskgrad {
namespace {

using Samples = std::vector<std::int64_t>;

constexpr std::string_view in_dataset_split = "Dataset::split";

void check_fractions(const std::vector<double>& fractions) {
  double sum = 0;
  for (const double f : fractions) {
    if (!(f > 0)) fail<OptionError>(in_dataset_split, "a fraction is {}; expected one above 0", f);
    sum += f;
  }
  if (sum <= 1 + 1e-9 && !fractions.empty()) return;
  fail<OptionError>(in_dataset_split, "the fractions {} add up to {}; expected some, of 1 at most",
                    fmt::join(fractions, ", "), sum);
}

/// The class of each sequence.
Samples classes_of(const Dataset& data) {
  Samples classes;
  for (const Batch& batch : Batches{data, {.max_rows = 65536, .shuffle = false}}.epoch(0)) {
    const Tensor& y = batch.target;
    if (!y.defined() || y.dtype() != DType::i64 || y.has_mask() || y.rank() != 1) {
      fail<OptionError>(in_dataset_split,
                        "the target is {}; .stratified expects a class (i64) for each sequence; "
                        "leave it out",
                        y.defined() ? y.describe() : "not there");
    }
    const auto ids = rows::of<std::int64_t>(y);
    classes.insert(classes.end(), ids.begin(), ids.end());
  }
  return classes;
}

/// Deals the sequences out in this order, each to the part that is furthest behind its fraction, so
/// that any stretch of the order is dealt out in proportion.
std::vector<Samples> deal(const Samples& order, const std::vector<double>& fractions) {
  std::vector<Samples> parts(fractions.size());
  std::vector<double> behind(fractions.size(), 0);
  double rest = 1, behind_rest = 0;
  for (const double f : fractions) rest -= f;
  for (const auto sample : order) {
    for (std::size_t p = 0; p < parts.size(); ++p) behind[p] += fractions[p];
    behind_rest += rest;
    const auto most = std::max_element(behind.begin(), behind.end());
    if (rest > 1e-9 && behind_rest > *most) {
      behind_rest -= 1;
      continue;
    }
    *most -= 1;
    parts[static_cast<std::size_t>(most - behind.begin())].push_back(sample);
  }
  return parts;
}

}  // namespace

std::vector<Dataset> Dataset::split(const SplitOptions& options) const {
  check_fractions(options.fractions);
  auto order = random::permutation(size(), Seed{options.seed}.of("split"));
  if (options.stratified) {
    const auto classes = classes_of(*this);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
      return classes[static_cast<std::size_t>(a)] < classes[static_cast<std::size_t>(b)];
    });
  }
  std::vector<Dataset> made;
  for (auto& part : deal(order, options.fractions)) {
    std::sort(part.begin(), part.end());
    made.push_back(subset(std::move(part)));
  }
  return made;
}

std::vector<Dataset::Fold> Dataset::folds(std::int64_t count, std::uint64_t seed) const {
  if (count < 2 || count > std::max<std::int64_t>(2, size())) {
    fail<OptionError>("Dataset::folds", "{} folds of {} sequences; expected 2 to one for each",
                      count, size());
  }
  const auto order = random::permutation(size(), Seed{seed}.of("folds"));
  std::vector<Fold> folds;
  for (std::int64_t f = 0; f < count; ++f) {
    Samples training, held_out;
    for (std::int64_t i = 0; i < size(); ++i) {
      auto& part = i % count == f ? held_out : training;
      part.push_back(order[static_cast<std::size_t>(i)]);
    }
    std::sort(training.begin(), training.end());
    std::sort(held_out.begin(), held_out.end());
    folds.push_back({subset(std::move(training)), subset(std::move(held_out))});
  }
  return folds;
}

Dataset Dataset::part(std::int64_t number) const {
  Samples samples;
  std::int64_t most = -1;
  for (std::int64_t i = 0; i < size(); ++i) {
    const auto of = source_->part(i);
    most = std::max(most, of);
    if (of == number) samples.push_back(i);
  }
  const auto named = static_cast<std::int64_t>(part_names().size());
  if (number < 0 || (samples.empty() && number >= named)) {
    fail<OptionError>("Dataset::part", "there is no part {}; {}", number,
                      most < 0 && named == 0
                          ? "nothing says of which part a sequence is; name the array in "
                            "ReadOptions::split, or use split()"
                          : fmt::format("expected 0 to {}", std::max(most, named - 1)));
  }
  return subset(std::move(samples));
}

Dataset Dataset::part(std::string_view name) const {
  const auto& names = part_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return part(found - names.begin());
  const std::vector<std::string_view> known(names.begin(), names.end());
  fail<OptionError>("Dataset::part", "there is no part '{}'; {}", name,
                    names.empty() ? "parts have no names here; ask for one by number"
                                  : nearest_hint(name, known));
}

namespace {
const data::Names no_names;
}

const std::vector<std::string>& Dataset::part_names() const {
  return (names_ ? *names_ : no_names).parts;
}
const std::vector<std::string>& Dataset::class_names() const {
  return (names_ ? *names_ : no_names).classes;
}

}  // namespace maskgrad
