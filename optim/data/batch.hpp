#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <maskgrad/layers/layer/spec.hpp>

namespace maskgrad {

namespace data {
struct Share;
}

/// Some sequences of a data set, side by side: what a training step takes.
struct Batch {
  Tensors inputs;  ///< [batch, time, ...] under a mask [batch, time]; [batch, ...] where an input
                   ///< has one value a sequence
  Tensor target;   ///< in the same way; undefined where the data have none
  Tensor weight;   ///< in the same way; undefined where the data have none
  std::vector<std::int64_t> samples;  ///< of each row of the batch: its number in the data set
  std::vector<std::int64_t> begins;  ///< rows at which a sequence begins: all, unless windows carry
                                     ///< state from batch to batch

  /// Where ranks share the batch (see RankOptions): the shards that this one computes. The tensors
  /// above are then undefined, and `samples` and `begins` are those of the whole batch.
  std::shared_ptr<const data::Share> share = {};

  /// Rows of the batch.
  std::int64_t size() const { return static_cast<std::int64_t>(samples.size()); }
};

}  // namespace maskgrad
