#pragma once

#include <map>
#include <utility>
#include <vector>

#include <maskgrad/layers/recurrent/carried_state.hpp>
#include <maskgrad/optim/distributed/rank_options.hpp>
#include <maskgrad/optim/train/model_ref.hpp>

namespace maskgrad::detail {

/// The states that layers carry from batch to batch, while the rows of a batch are computed in
/// shards: each begins with those of its rows, and at the end of all every row has what its shard
/// has made of it.
class CarriedRows {
 public:
  CarriedRows(const ModelRef& model, std::int64_t batch);
  ~CarriedRows();
  CarriedRows(const CarriedRows&) = delete;
  CarriedRows& operator=(const CarriedRows&) = delete;

  void begin(const std::vector<std::int64_t>& rows) const;
  void end(const std::vector<std::int64_t>& rows);
  /// A shard waits, and another one begins or is gone on with.
  void turn(std::size_t from, std::size_t to);

 private:
  struct Layer {
    CarriedState* carried;
    Tensors whole;
    std::map<std::size_t, Tensors> aside;  ///< of shards that wait
  };
  std::int64_t batch_;
  std::vector<Layer> layers_;
};

/// Brings the states of all rows to all ranks, each of which has computed those of its own.
void share_carried(const ModelRef& model, const RankOptions& ranks);

}  // namespace maskgrad::detail
