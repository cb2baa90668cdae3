#include <maskgrad/optim/train/evaluate_shards.hpp>

#include <algorithm>
#include <cstring>

#include <maskgrad/optim/train/carried_rows.hpp>
#include <maskgrad/optim/train/failure.hpp>
#include <maskgrad/optim/train/part_counts.hpp>
#include <maskgrad/optim/train/steps.hpp>

namespace maskgrad::detail {
namespace {

/// The numbers of this rank's parts, each behind how many they are.
void count_shard(const Evaluation& e, const data::Share::Shard& shard, std::int64_t batch,
                 std::vector<double>& all) {
  CarriedRows carried(e.model, batch);
  carried.begin(shard.rows);
  const auto rows = std::ssize(shard.rows);
  const auto parts = e.options.batch_invariant ? rows : 1;
  for (std::int64_t i = 0; i < parts; ++i) {
    const Batch part = parts == 1 ? shard.batch : part_of(shard.batch, i, i + 1);
    const Tensors outputs = e.model(part.inputs);
    const Loss made = e.loss(part, outputs);
    if (e.seen) e.seen(made);
    const auto numbers = measure_part(part, outputs, made, e.metrics);
    all.push_back(static_cast<double>(numbers.size()));
    all.insert(all.end(), numbers.begin(), numbers.end());
  }
  carried.end(shard.rows);
}

}  // namespace

bool evaluate_shards(const Evaluation& e, const Batch& batch, bool stop, LossTotal& total) {
  e.model.begin(batch);
  std::vector<double> own{stop ? 1.0 : 0.0};
  for (const auto& shard : batch.share->own) {
    if (shard.rows.empty()) continue;
    try {
      count_shard(e, shard, batch.size(), own);
    } catch (const Error& error) {
      throw_again(error, "", sequences_at_fault(error, e.model, e.loss, shard.batch));
    }
  }
  const auto bytes = std::as_bytes(std::span(own));
  const auto all =
      e.communicator.gather({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  bool any = false;
  for (const std::string& text : all) {
    std::vector<double> numbers(text.size() / sizeof(double));
    std::memcpy(numbers.data(), text.data(), text.size());
    any = any || numbers.at(0) != 0;
    for (auto at = numbers.begin() + 1; at != numbers.end();) {
      const auto begin = at + 1;
      at = begin + static_cast<std::ptrdiff_t>(*at);
      merge_part({begin, at}, total, e.metrics);
    }
  }
  total.end_batch();
  return any;
}

}  // namespace maskgrad::detail
