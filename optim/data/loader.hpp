#pragma once

#include <optional>

#include <maskgrad/optim/data/plan.hpp>

namespace maskgrad::data {

/// Batches `at` ... of a plan, one after the other.
class Loader {
 public:
  Loader(std::shared_ptr<const Planner> planner, std::shared_ptr<const Plan> plan, std::int64_t at);

  std::int64_t left() const { return plan_->batches() - at_; }
  /// The next batch; nothing at the end.
  std::optional<Batch> next();

 private:
  Batch make(std::int64_t b) const;

  std::shared_ptr<const Planner> planner_;
  std::shared_ptr<const Plan> plan_;
  std::int64_t at_;
};

}  // namespace maskgrad::data
