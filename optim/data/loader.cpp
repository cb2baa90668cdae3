#include <maskgrad/optim/data/loader.hpp>

namespace maskgrad::data {

Loader::Loader(std::shared_ptr<const Planner> planner, std::shared_ptr<const Plan> plan,
               std::int64_t at)
    : planner_(std::move(planner)), plan_(std::move(plan)), at_(at) {}

Batch Loader::make(std::int64_t b) const {
  const auto pieces = plan_->batch(b);
  const auto* begins = plan_->begins.data() + plan_->first[static_cast<std::size_t>(b)];
  Batch batch = planner_->data().source()->read(pieces);
  for (std::size_t r = 0; r < pieces.size(); ++r) {
    batch.samples.push_back(pieces[r].sample);
    if (begins[r]) batch.begins.push_back(static_cast<std::int64_t>(r));
  }
  return batch;
}

std::optional<Batch> Loader::next() {
  if (left() == 0) return std::nullopt;
  return make(at_++);
}

}  // namespace maskgrad::data
