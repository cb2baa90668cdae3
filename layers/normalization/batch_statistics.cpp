#include <maskgrad/layers/normalization/batch_statistics.hpp>

#include <utility>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>

namespace maskgrad::detail {
namespace {
thread_local BatchStatistics* statistics_now = nullptr;
thread_local std::shared_ptr<ShardMeeting> meeting_now;
}  // namespace

ShardMeetingScope::ShardMeetingScope(std::shared_ptr<ShardMeeting> meeting)
    : outer_(std::exchange(meeting_now, std::move(meeting))) {}
ShardMeetingScope::~ShardMeetingScope() {
  meeting_now = std::move(outer_);
}

SumOver sum_over_shards() {
  if (!meeting_now) return {};
  return [meeting = meeting_now, path = current_layer_path()](std::span<double> values) {
    meeting->sum(path, values);
  };
}

BatchStatistics::BatchStatistics() : outer_(std::exchange(statistics_now, this)) {}
BatchStatistics::~BatchStatistics() {
  statistics_now = outer_;
}
BatchStatistics* BatchStatistics::current() {
  return statistics_now;
}

void move_statistics(const Parameter& moving, const Tensor& batch, double momentum) {
  const NoGrad no_grad;
  moving.set(moving.tensor() * momentum + batch * (1 - momentum));
}

void move_statistics(const std::vector<BatchStatistics::Measured>& parts) {
  double count = 0;
  const BatchStatistics::Measured* first = nullptr;
  for (const auto& part : parts) {
    if (part.count == 0) continue;
    count += part.count;
    if (!first) first = &part;
  }
  if (!first) return;
  std::vector<double> mean(first->mean.size()), variance(mean.size());
  for (const auto& part : parts) {
    if (part.count == 0) continue;
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += part.count / count * part.mean[i];
  }
  for (const auto& part : parts) {
    if (part.count == 0) continue;
    for (std::size_t i = 0; i < mean.size(); ++i) {
      const double apart = part.mean[i] - mean[i];
      variance[i] += part.count / count * (part.variance[i] + apart * apart);
    }
  }
  const auto move = [&](const Parameter& moving, const std::vector<double>& values) {
    move_statistics(moving, cast(tensor(values, moving.shape()), moving.dtype()), first->momentum);
  };
  move(first->moving_mean, mean);
  move(first->moving_variance, variance);
}

}  // namespace maskgrad::detail
