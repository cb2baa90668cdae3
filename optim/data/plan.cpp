#include <maskgrad/optim/data/plan.hpp>

#include <algorithm>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/random.hpp>
#include <maskgrad/optim/data/views.hpp>

namespace maskgrad::data {
namespace {

constexpr std::string_view in_batches = "Batches";

void check_not_negative(std::string_view name, std::int64_t value) {
  if (value < 0) fail<OptionError>(in_batches, ".{} is {}; expected 0 or more", name, value);
}

BatchesOptions checked(BatchesOptions o, const Dataset& data) {
  check_not_negative("batch_size", o.batch_size);
  check_not_negative("max_rows", o.max_rows);
  check_not_negative("bucket_size", o.bucket_size);
  check_not_negative("window", o.window);
  check_not_negative("prefetch", o.prefetch);
  if (o.bucket_size > 0 && !o.bucket) {
    fail<OptionError>(in_batches,
                      ".bucket_size is {}, but .bucket is not set; set it, or leave both",
                      o.bucket_size);
  }
  if (o.window > 0 && (o.max_rows > 0 || o.bucket)) {
    fail<OptionError>(in_batches,
                      ".window excludes {}: carried state needs the same rows in every batch; say "
                      ".batch_size, or cut sequences by Dataset::pieces()",
                      o.max_rows > 0 ? ".max_rows" : ".bucket");
  }
  if (o.window > 0 && data.size() > 0) data.source()->check_cuts(in_batches);
  if (o.batch_size == 0 && o.max_rows == 0) o.batch_size = 32;
  return o;
}

/// The batches of a plan in another order.
Plan reordered(const Plan& plan, Seed seed) {
  Plan made;
  for (const auto b : random::permutation(plan.batches(), seed)) {
    for (const auto& piece : plan.batch(b)) made.add(piece);
    made.end_batch();
  }
  return made;
}

}  // namespace

std::span<const Piece> Plan::batch(std::int64_t b) const {
  const auto at = static_cast<std::size_t>(b);
  return std::span(pieces).subspan(static_cast<std::size_t>(first[at]),
                                   static_cast<std::size_t>(first[at + 1] - first[at]));
}

void Plan::add(const Piece& piece, bool begins_with_it) {
  pieces.push_back(piece);
  begins.push_back(begins_with_it);
}

Planner::Planner(Dataset data, BatchesOptions options)
    : data_(std::move(data)), options_(checked(options, data_)) {}

std::shared_ptr<const Plan> Planner::plan(std::int64_t epoch) const {
  if (epoch < 0) fail<IndexError>(in_batches, "epoch {}; expected 0 or more", epoch);
  std::lock_guard lock(mutex_);
  // Without shuffling every epoch is the first.
  if (!options_.shuffle) epoch = 0;
  if (epoch != epoch_) {
    last_ = std::make_shared<Plan>(make(epoch));
    epoch_ = epoch;
  }
  return last_;
}

Plan Planner::make(std::int64_t epoch) const {
  if (data_.size() == 0) return {};  // it may have no source
  const Seed seed = Seed{options_.seed}.of("batches").of(static_cast<std::uint64_t>(epoch));
  auto samples = order(seed.of("order"));
  if (options_.window > 0) return windows(samples);
  if (options_.bucket) sort_buckets(samples);
  Plan plan = cut(samples);
  return options_.bucket && options_.shuffle ? reordered(plan, seed.of("buckets")) : plan;
}

std::vector<std::int64_t> Planner::order(Seed seed) const {
  if (options_.shuffle) return random::permutation(data_.size(), seed);
  std::vector<std::int64_t> rising(static_cast<std::size_t>(data_.size()));
  for (std::size_t i = 0; i < rising.size(); ++i) rising[i] = static_cast<std::int64_t>(i);
  return rising;
}

/// Sorts by length, a bucket at a time; sequences of one length keep their order.
void Planner::sort_buckets(std::vector<std::int64_t>& order) const {
  const auto& source = *data_.source();
  auto size = options_.bucket_size;
  if (size == 0) {
    const auto steps = std::max<std::int64_t>(1, data_.steps());
    auto batch = std::min(options_.batch_size, data_.size());  // more than all is all
    if (batch == 0) {
      const auto rows = std::min(options_.max_rows, steps);
      batch = maskgrad::checked::product(in_batches, "sequences and rows", {data_.size(), rows}) /
              steps;
    }
    size = 50 * std::max<std::int64_t>(1, batch);
  }
  if (!options_.shuffle) size = std::max<std::int64_t>(1, data_.size());  // nothing to keep mixed
  for (std::size_t i = 0; i < order.size(); i += static_cast<std::size_t>(size)) {
    const auto end = std::min(order.size(), i + static_cast<std::size_t>(size));
    std::stable_sort(order.begin() + static_cast<std::ptrdiff_t>(i),
                     order.begin() + static_cast<std::ptrdiff_t>(end),
                     [&](auto a, auto b) { return source.length(a) < source.length(b); });
  }
}

Plan Planner::cut(const std::vector<std::int64_t>& order) const {
  Plan plan;
  std::int64_t count = 0, rows = 0;
  const auto end_batch = [&] {
    plan.end_batch();
    count = rows = 0;
  };
  for (const auto sample : order) {
    const Piece piece = data_.source()->whole(sample);
    const bool too_long = options_.max_rows > 0 && rows + piece.steps > options_.max_rows;
    if (count > 0 && too_long) end_batch();
    plan.add(piece);
    rows += piece.steps;
    if (++count == options_.batch_size) end_batch();
  }
  if (count == 0) return plan;
  const bool full = options_.max_rows > 0 && rows >= options_.max_rows;
  if (full || !options_.drop_remainder) {
    end_batch();
    return plan;
  }
  plan.pieces.resize(static_cast<std::size_t>(plan.first.back()));
  plan.begins.resize(plan.pieces.size());
  return plan;
}

/// Each row of the batch walks through a sequence, window by window, then takes the next one.
Plan Planner::windows(const std::vector<std::int64_t>& order) const {
  const auto& source = *data_.source();
  const auto total = static_cast<std::int64_t>(order.size());
  std::int64_t count = 0;
  for (const auto sample : order) count += source.length(sample) / options_.window + 1;
  check_room(in_batches, count);
  std::vector<Piece> rows(static_cast<std::size_t>(std::min(options_.batch_size, total)));
  std::size_t next = 0;
  Plan plan;
  if (options_.drop_remainder && total < options_.batch_size) return plan;
  for (auto& row : rows) row = {order[next++], 0, 0};
  for (bool fresh = true;; fresh = false) {
    std::vector<bool> begins(rows.size(), fresh);
    std::size_t idle = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      auto& row = rows[r];
      row.first += row.steps;
      if (!fresh && row.first >= source.length(row.sample) && next < order.size()) {
        row = {order[next++], 0, 0};
        begins[r] = true;
      }
      row.steps = std::min(options_.window, source.length(row.sample) - row.first);
      if (row.steps == 0 && !begins[r]) ++idle;
    }
    if (idle == rows.size() || (idle > 0 && options_.drop_remainder)) return plan;
    for (std::size_t r = 0; r < rows.size(); ++r) plan.add(rows[r], begins[r]);
    plan.end_batch();
  }
}

}  // namespace maskgrad::data
