#pragma once

#include <utility>
#include <vector>

#include <maskgrad/layers/recurrent/carried_state.hpp>
#include <maskgrad/optim/distributed/rank_options.hpp>
#include <maskgrad/optim/train/model_ref.hpp>

namespace maskgrad::detail {

/// While one lives, stateful layers have the states of some rows of the batch alone; behind it
/// those of all, with what these rows have become.
class CarriedRows {
 public:
  CarriedRows(const ModelRef& model, const std::vector<std::int64_t>& rows, std::int64_t batch);
  ~CarriedRows();
  CarriedRows(const CarriedRows&) = delete;
  CarriedRows& operator=(const CarriedRows&) = delete;

 private:
  const std::vector<std::int64_t>& rows_;
  std::int64_t batch_;
  std::vector<std::pair<CarriedState*, Tensors>> whole_;
};

/// Brings the states of all rows to all ranks, each of which has computed those of its own.
void share_carried(const ModelRef& model, const RankOptions& ranks);

}  // namespace maskgrad::detail
