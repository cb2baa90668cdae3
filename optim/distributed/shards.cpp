#include <maskgrad/optim/distributed/shards.hpp>

#include <algorithm>
#include <bit>
#include <numeric>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/optim/train/steps.hpp>

namespace maskgrad::detail {
namespace {

/// Runs of rows that stand side by side: [from, to).
std::vector<std::pair<std::int64_t, std::int64_t>> runs_of(const std::vector<std::int64_t>& rows) {
  std::vector<std::pair<std::int64_t, std::int64_t>> runs;
  for (const auto row : rows) {
    if (!runs.empty() && runs.back().second == row) {
      ++runs.back().second;
    } else {
      runs.emplace_back(row, row + 1);
    }
  }
  return runs;
}

Batch rows_of(const Batch& batch, const std::vector<std::int64_t>& rows) {
  std::vector<Batch> parts;
  for (const auto& [from, to] : runs_of(rows)) parts.push_back(part_of(batch, from, to));
  if (parts.size() == 1) return parts.front();
  const NoGrad no_grad;
  const auto joined = [&](auto&& of_part) {
    Tensors all;
    for (const Batch& part : parts) all.push_back(of_part(part));
    return all.front().defined() ? concatenate(all, 0) : Tensor();
  };
  Batch all;
  for (std::size_t i = 0; i < batch.inputs.size(); ++i) {
    all.inputs.push_back(joined([i](const Batch& part) { return part.inputs[i]; }));
  }
  all.target = joined([](const Batch& part) { return part.target; });
  all.weight = joined([](const Batch& part) { return part.weight; });
  for (const Batch& part : parts) {
    for (const auto row : part.begins) all.begins.push_back(row + all.size());
    all.samples.insert(all.samples.end(), part.samples.begin(), part.samples.end());
  }
  return all;
}

std::int64_t power_of_two_within(std::int64_t n) {
  return static_cast<std::int64_t>(
      std::bit_floor(static_cast<std::uint64_t>(std::max<std::int64_t>(1, n))));
}

/// How many shards a batch is cut into. A recurrence reads its weights once for all sequences of a
/// shard, so that one sequence alone costs nearly as much as two.
std::int64_t shard_count_of(std::int64_t rows, std::int64_t most) {
  constexpr std::int64_t most_unasked = 8;
  const auto all = power_of_two_within(rows);
  if (most > 0) return std::min(most, all);
  return std::clamp(power_of_two_within(rows / 2), std::min<std::int64_t>(2, all), most_unasked);
}

}  // namespace

void check_ranks(std::string_view where, const RankOptions& ranks) {
  constexpr std::int64_t most = 4096;
  if (ranks.shards == 0) return;
  if (ranks.shards >= 1 && ranks.shards <= most &&
      std::has_single_bit(static_cast<std::uint64_t>(ranks.shards))) {
    return;
  }
  fail<OptionError>(where, "the option .ranks.shards is {}; expected 1, 2, 4, ... {}, or 0",
                    ranks.shards, most);
}

ShardRows shard_rows(const std::vector<std::int64_t>& lengths, const RankOptions& ranks,
                     bool in_place) {
  const auto rows = static_cast<std::int64_t>(lengths.size());
  const bool fixed = ranks.reduction_order == ReductionOrder::fixed;
  const auto count = fixed ? shard_count_of(rows, ranks.shards) : ranks.communicator.size();
  ShardRows shards(static_cast<std::size_t>(count));
  if (in_place) {
    for (std::int64_t r = 0; r < rows; ++r) {
      shards[static_cast<std::size_t>(r * count / rows)].push_back(r);
    }
    return shards;
  }
  std::vector<std::int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  const auto length = [&](std::int64_t row) { return lengths[static_cast<std::size_t>(row)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return length(a) > length(b); });
  std::vector<std::int64_t> load(shards.size());
  for (const auto row : order) {
    const auto least = std::min_element(load.begin(), load.end()) - load.begin();
    shards[static_cast<std::size_t>(least)].push_back(row);
    load[static_cast<std::size_t>(least)] += length(row) + 1;  // an empty one is work too
  }
  for (auto& shard : shards) std::sort(shard.begin(), shard.end());
  return shards;
}

std::pair<std::int64_t, std::int64_t> shards_of_rank(std::int64_t shards, int rank, int size) {
  const auto first = [&](std::int64_t r) { return (r * shards + size - 1) / size; };
  return {first(rank), first(rank + 1)};
}

std::vector<std::int64_t> lengths_of(const Batch& batch) {
  for (const Tensor& x : batch.inputs) {
    if (x.has_mask() && x.mask().rank() == 2) return x.mask().lengths();
  }
  const auto steps = [&]() -> std::int64_t {
    if (batch.inputs.empty()) return 1;
    const Tensor& x = batch.inputs[0];
    return !x.has_mask() && x.rank() > (is_real(x.dtype()) ? 2 : 1) ? x.shape()[1] : 1;
  }();
  return std::vector<std::int64_t>(static_cast<std::size_t>(batch.size()), steps);
}

data::Share share_of(const Batch& batch, const RankOptions& ranks, bool in_place) {
  data::Share share{lengths_of(batch), 0, {}};
  ShardRows shards = shard_rows(share.lengths, ranks, in_place);
  share.shards = static_cast<std::int64_t>(shards.size());
  const auto [from, to] =
      shards_of_rank(share.shards, ranks.communicator.rank(), ranks.communicator.size());
  for (auto s = from; s < to; ++s) {
    auto& rows = shards[static_cast<std::size_t>(s)];
    Batch own = rows.empty() ? Batch() : rows_of(batch, rows);
    share.own.push_back({std::move(rows), std::move(own)});
  }
  return share;
}

}  // namespace maskgrad::detail
