#include <maskgrad/optim/train/report_page.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <maskgrad/core/mask_rows.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/train/run_history.hpp>

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

std::string ReportPage::begin(const FitSetup& setup, std::int64_t epoch) {
  const auto folder = path_.parent_path().filename().string();
  if (!folder.empty()) options_.title += " " + folder;
  const Batches& batches = setup.batches;
  options_.data = batches.describe(epoch);
  if (setup.options.validation) options_.validation = setup.options.validation->describe();
  for (const auto& named : setup.parameters) {
    const auto& p = named.parameter;
    if (p.trainable() && !p.is_state()) options_.parameters += p.shape().count();
  }
  try {
    Tensors like;
    if (batches.data().size() > 0) {
      for (const auto& x : batches.data().batch({0}).inputs) like.push_back(any_like(x));
    }
    if (!like.empty()) options_.model = setup.model.mask_flow(like);
  } catch (const std::exception& error) {
    return fmt::format("the report has no mask flow: {}", error.what());
  }
  return {};
}

bool ReportPage::due() const {
  return seconds_since(written_) >= 50 * seconds_;
}

std::string ReportPage::write(const History& history, std::string failure) {
  const auto begin = std::chrono::steady_clock::now();
  options_.failure = std::move(failure);
  std::string trouble;
  try {
    write_report(path_, history, options_);
  } catch (const FileError& error) {
    if (!std::exchange(failed_, true)) trouble = error.what();
  }
  seconds_ = seconds_since(begin);
  written_ = std::chrono::steady_clock::now();
  return trouble;
}

}  // namespace maskgrad::detail
