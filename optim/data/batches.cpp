#include <maskgrad/optim/data/batches.hpp>

#include <maskgrad/optim/data/loader.hpp>

namespace maskgrad {

Epoch::Epoch(std::unique_ptr<data::Loader> loader)
    : loader_(std::move(loader)), size_(loader_->left()) {}
Epoch::Epoch(Epoch&&) noexcept = default;
Epoch& Epoch::operator=(Epoch&&) noexcept = default;
Epoch::~Epoch() = default;

Epoch::Iterator Epoch::begin() {
  if (!begun_) advance();
  return Iterator(*this);
}

void Epoch::advance() {
  begun_ = at_end_ = true;  // also where what follows throws
  batch_ = {};
  auto next = loader_->next();
  if (!next) return;
  at_end_ = false;
  batch_ = std::move(*next);
}

Batches::Batches(Dataset data, BatchesOptions options)
    : planner_(std::make_shared<data::Planner>(std::move(data), options)) {}

std::int64_t Batches::size(std::int64_t epoch) const {
  return planner_->plan(epoch)->batches();
}

Epoch Batches::epoch(std::int64_t epoch, std::int64_t first_batch) const {
  return this->epoch(epoch, first_batch, {});
}

Epoch Batches::epoch(std::int64_t epoch, std::int64_t first_batch, const RankOptions& ranks) const {
  auto plan = planner_->plan(epoch);
  if (first_batch < 0 || first_batch > plan->batches()) {
    fail<IndexError>("Batches::epoch", "batch {} of epoch {}, which has {}; expected 0 to {}",
                     first_batch, epoch, plan->batches(), plan->batches());
  }
  return Epoch(std::make_unique<data::Loader>(planner_, std::move(plan), first_batch, ranks));
}

std::vector<std::vector<std::int64_t>> Batches::batch_lengths(std::int64_t epoch) const {
  const auto plan = planner_->plan(epoch);
  std::vector<std::vector<std::int64_t>> all(static_cast<std::size_t>(plan->batches()));
  for (std::size_t b = 0; b < all.size(); ++b) {
    for (const auto& piece : plan->batch(static_cast<std::int64_t>(b))) {
      all[b].push_back(piece.steps);
    }
  }
  return all;
}

const Dataset& Batches::data() const {
  return planner_->data();
}
const BatchesOptions& Batches::options() const {
  return planner_->options();
}

}  // namespace maskgrad
