#include <fmt/format.h>

#include <maskgrad/core/mask_rows.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/train/fit_run.hpp>
#include <maskgrad/optim/train/report.hpp>

// The report of a run: what it tells, and when it is written.

namespace maskgrad::detail {
namespace {

/// A meta tensor that stands for all like `x`: sequences and steps of any number.
Tensor any_like(const Tensor& x) {
  Shape shape = x.shape();
  const int free = x.has_mask() ? x.mask().rank() : std::min(1, x.rank());
  for (int axis = 0; axis < free; ++axis) shape[axis] = any;
  const Mask mask = x.has_mask() ? masks::meta(shape.sub(0, free), "the data") : Mask();
  return rows::make_meta(shape, x.dtype(), mask);
}

}  // namespace

void FitRun::begin_report() {
  if (options_.report.empty()) return;
  report_ = std::make_unique<ReportOptions>();
  const auto folder = options_.report.parent_path().filename().string();
  if (!folder.empty()) report_->title += " " + folder;
  report_->data = batches_.describe(state_.epoch);
  if (options_.validation) report_->validation = options_.validation->describe();
  for (const auto& named : parameters_) {
    const auto& p = named.parameter;
    if (p.trainable() && !p.is_state()) report_->parameters += p.shape().count();
  }
  try {
    Tensors like;
    if (batches_.data().size() > 0) {
      for (const auto& x : batches_.data().batch({0}).inputs) like.push_back(any_like(x));
    }
    if (!like.empty()) report_->model = model_.mask_flow(like);
  } catch (const std::exception& error) {
    note(fmt::format("the report has no mask flow: {}", error.what()));
  }
}

/// Now and then, so that it takes at most a fiftieth of the time.
void FitRun::report_if_due() {
  const std::chrono::duration<double> since = Clock::now() - reported_;
  if (report_ && since.count() >= 50 * report_seconds_) report();
}

void FitRun::report(std::string failure) {
  if (!report_) return;
  const auto begin = Clock::now();
  tell();
  report_->failure = std::move(failure);
  try {
    write_report(options_.report, history_, *report_);
  } catch (const FileError& error) {
    // Said once: the next ones fail as this one did.
    if (!std::exchange(report_failed_, true)) {
      note(fmt::format("the training goes on, but: {}", error.what()), true);
    }
  }
  reported_ = Clock::now();
  report_seconds_ = std::chrono::duration<double>(reported_ - begin).count();
}

}  // namespace maskgrad::detail
