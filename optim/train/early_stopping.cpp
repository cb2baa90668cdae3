#include <maskgrad/optim/train/early_stopping.hpp>

namespace maskgrad::detail {

EarlyStopping::EarlyStopping(FitSetup& setup) : setup_(setup) {
  if (!setup.options.early_stopping) return;
  const auto& options = *setup.options.early_stopping;
  watch_.emplace("early_stopping", options.monitor, options.mode, options.min_delta);
}

std::string_view EarlyStopping::monitor() const {
  return watch_ ? std::string_view(watch_->monitor()) : std::string_view();
}

void EarlyStopping::end_epoch(const EpochRecord& record) {
  if (!watch_) return;
  if (watch_->better(record.logs)) {
    state_.best_epoch = record.epoch;
    state_.waited = 0;
    if (keeps_weights()) keep_weights();
  } else if (++state_.waited >= setup_.options.early_stopping->patience) {
    state_.stopped = true;
  }
  state_.best = watch_->best();
}

void EarlyStopping::set_state(const EarlyStoppingState& state) {
  state_ = state;
  if (watch_) watch_->set_best(state.best);
}

bool EarlyStopping::keeps_weights() const {
  return setup_.options.early_stopping && setup_.options.early_stopping->restore_best;
}

void EarlyStopping::keep_weights() {
  best_weights_.clear();
  for (const auto& named : setup_.parameters) best_weights_.push_back(named.parameter.value());
}

void EarlyStopping::restore_weights() const {
  for (std::size_t i = 0; i < best_weights_.size(); ++i) {
    setup_.parameters[i].parameter.set(best_weights_[i]);
  }
}

SavedValues EarlyStopping::saved_values() {
  SavedValues all;
  for (std::size_t i = 0; i < best_weights_.size(); ++i) {
    all.push_back(saved_in_place("best/" + setup_.parameters[i].name, best_weights_[i]));
  }
  return all;
}

}  // namespace maskgrad::detail
