#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <maskgrad/layers/metrics/metric.hpp>
#include <maskgrad/optim/accumulate.hpp>
#include <maskgrad/optim/distributed/rank_options.hpp>

namespace maskgrad {

namespace detail {
class GradientTree;
class ShardStatistics;
class ShardTeam;
}  // namespace detail

/// The gradient of a step of a loop by hand that all ranks compute together: of the shards of its
/// sequences each rank computes its own, which may be none, and one reduction adds up gradients,
/// sums and counts. The division comes after it, so that the loss is the mean over all that is
/// valid on any rank. Noise is what the whole batch would draw. Statistics of BatchNormalization are
/// those of all shards (see its .synchronized), where shards are not computed in pieces.
/// Throws:   OptionError for options out of range; GradError as Accumulate, and where the ranks
///           have other losses; RankError.
/// Example:  const mg::Batch& b = *batches.epoch(0).begin();
///           mg::ShardedStep step{model.parameters(), {.communicator = mg::Communicator::alone()}};
///           step.each_shard({5, 3, 1, 4}, [&](const std::vector<std::int64_t>& rows) {
///             const mg::Batch shard = batches.data().batch(rows);
///             return mg::sparse_categorical_crossentropy(shard.target, model(shard.inputs[0]));
///           });
///           step.finish();  // gradients stand as after one backward; then adam.step()
class ShardedStep {
 public:
  explicit ShardedStep(std::vector<Parameter> parameters, RankOptions ranks = {});
  ~ShardedStep();
  ShardedStep(const ShardedStep&) = delete;
  ShardedStep& operator=(const ShardedStep&) = delete;

  /// Calls `f` with the rows of each shard of this rank, of a batch whose sequences have these
  /// lengths, and runs backward on the loss that it gives. All ranks give the same lengths.
  void each_shard(const std::vector<std::int64_t>& lengths,
                  const std::function<Loss(const std::vector<std::int64_t>& rows)>& f);
  /// The same for the shards of this rank, which the caller has found: `rows` of each, and `f` with
  /// its number adds its parts. `turn` is called where another shard is gone on with.
  void each_own(const std::vector<std::vector<std::int64_t>>& rows,
                const std::function<void(std::size_t)>& f,
                const std::function<void(std::size_t from, std::size_t to)>& turn = {});
  /// A shard in pieces: its noise, its parts, its end.
  void begin_shard(const std::vector<std::int64_t>& rows);
  void add_part(const Loss& loss, std::span<const double> numbers = {});
  void end_shard();
  /// A part whose gradients come by a backward of one's own: what it counts; and behind that, of
  /// each of its terms the gradients that the parameters hold then, which let go of them.
  void add_counts(const Loss& loss, std::span<const double> numbers = {});
  void take_gradients(std::size_t term, std::size_t terms);

  /// Adds up all ranks and sets the gradients; `sequences` of the whole batch, where each_shard was
  /// not called.
  Accumulate::Total finish(std::int64_t sequences = 0);
  /// Says to all ranks that this one wants to end; after `finish`, whether any does.
  void ask_to_end() { asked_to_end_ = true; }
  bool asked_to_end() const { return asked_to_end_; }
  /// After `finish`, the numbers of each part of all ranks, shard by shard.
  const std::vector<std::vector<double>>& numbers() const { return numbers_; }

 private:
  struct Noise;
  struct Found;
  struct Shard;
  void put_into_tree(Shard& shard);
  std::string message() const;
  Found read(const std::vector<std::string>& messages);

  RankOptions ranks_;
  std::unique_ptr<detail::GradientTree> tree_;
  std::unique_ptr<Noise> noise_;
  std::unique_ptr<detail::ShardStatistics>
      statistics_;  ///< of batches, as BatchNormalization has them
  std::unique_ptr<detail::ShardTeam> team_;
  std::unique_ptr<Shard> piece_;  ///< of begin_shard
  Shard* shard_ = nullptr;        ///< that is computed now
  std::vector<double> parts_;     ///< of this rank's parts, what the others are to know
  std::vector<std::vector<double>> numbers_;
  std::int64_t sequences_ = 0;
  bool asked_to_end_ = false;
};

/// A metric of what all ranks have counted, in their order; the same on each.
/// Example:  mg::SparseCategoricalAccuracy accuracy;
///           mg::merge_ranks(accuracy, mg::Communicator::alone());
template <std::derived_from<extend::MetricSums> M>
void merge_ranks(M& metric, const Communicator& communicator) {
  if (communicator.size() == 1) return;
  const std::vector<double> own = metric.counted();
  const auto bytes = std::as_bytes(std::span(own));
  M all = metric;
  all.reset();
  for (const std::string& text :
       communicator.gather({reinterpret_cast<const char*>(bytes.data()), bytes.size()})) {
    std::vector<double> counted(text.size() / sizeof(double));
    std::copy(text.begin(), text.end(), reinterpret_cast<char*>(counted.data()));
    M one = metric;
    one.set_counted(counted);
    all.merge(one);
  }
  metric = std::move(all);
}

}  // namespace maskgrad
