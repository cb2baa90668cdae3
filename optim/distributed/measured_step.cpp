#include <maskgrad/optim/distributed/measured_step.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/memory.hpp>
#include <maskgrad/optim/distributed/sharded_step.hpp>
#include <maskgrad/optim/distributed/shards.hpp>

namespace maskgrad::detail {
namespace {

using Clock = std::chrono::steady_clock;
using Line = std::array<double, 4>;  // 1, rows, longest; seconds

double seconds_of(const std::function<void()>& f) {
  const auto begin = Clock::now();
  f();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Weights and the optimizer as they are now, put back at the end.
class KeptTraining {
 public:
  KeptTraining(const ModelRef& model, Optimizer& optimizer)
      : model_(model), optimizer_(optimizer), state_(optimizer.state_arrays()) {
    for (const auto& p : all()) values_.push_back(p.value());
  }
  ~KeptTraining() {
    const auto parameters = all();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      parameters[i].set(values_[i]);
      parameters[i].clear_grad();
    }
    optimizer_.set_state(state_);
    model_.reset_states();
  }
  KeptTraining(const KeptTraining&) = delete;
  KeptTraining& operator=(const KeptTraining&) = delete;

 private:
  std::vector<Parameter> all() const {
    std::vector<Parameter> each = model_.parameters();
    each.insert(each.end(), optimizer_.parameters().begin(), optimizer_.parameters().end());
    return each;
  }
  const ModelRef& model_;
  Optimizer& optimizer_;
  NamedArrays state_;
  std::vector<Tensor> values_;
  NoiseScope noise_;
};

/// Least squares, each line over its own time so that small shards count as much; no cost is below
/// 0: what would be is left out, and the rest fitted again.
std::array<double, 3> fit_costs(const std::vector<Line>& lines) {
  std::array<bool, 3> used{true, true, true};
  for (int left = 3; left > 0; --left) {
    double a[3][4] = {};
    for (const Line& line : lines) {
      const double weight = 1 / std::max(line[3] * line[3], 1e-18);
      for (int i = 0; i < 3; ++i) {
        for (int k = 0; k < 4; ++k) a[i][k] += weight * line[i] * line[k];
      }
    }
    for (int i = 0; i < 3; ++i) {
      if (used[i]) continue;
      for (int k = 0; k < 4; ++k) a[i][k] = 0;
      for (auto& row : a) row[i] = 0;
      a[i][i] = 1;
    }
    for (int i = 0; i < 3; ++i) {
      a[i][i] += 1e-12 * (1 + std::abs(a[i][i]));
      for (int r = 0; r < 3; ++r) {
        if (r == i) continue;
        const double by = a[r][i] / a[i][i];
        for (int k = i; k < 4; ++k) a[r][k] -= by * a[i][k];
      }
    }
    std::array<double, 3> costs{};
    int least = 0;
    for (int i = 0; i < 3; ++i) {
      costs[i] = a[i][3] / a[i][i];
      if (costs[i] < costs[least]) least = i;
    }
    if (costs[least] >= 0) return costs;
    used[static_cast<std::size_t>(least)] = false;
  }
  return {};
}

/// Times the shards of some batches.
class Measuring {
 public:
  Measuring(const ModelRef& model, Optimizer& optimizer, const Batches& batches,
            const TrainingLoss& loss)
      : model_(model), optimizer_(optimizer), batches_(batches), loss_(loss) {}

  MeasuredStep run() {
    const auto all = batches_.size(0);
    constexpr std::int64_t most = 4;
    const auto begin = Clock::now();
    measure(0, 1);  // the first one is slower
    lines_.clear();
    first_ = false;
    for (std::int64_t i = 0; i < std::min(all, most); ++i) {
      for (const std::int64_t shards : {1, 2, 8, 32})
        measure_best(i * all / std::min(all, most), shards);
      if (Clock::now() - begin > std::chrono::seconds(10)) break;
    }
    made_.seconds = fit_costs(lines_);
    return made_;
  }

 private:
  /// Three times: memory of new sizes is slow at first, and other processes come between.
  void measure_best(std::int64_t number, std::int64_t shards) {
    const auto from = static_cast<std::ptrdiff_t>(lines_.size());
    measure(number, shards);
    const auto count = std::ssize(lines_) - from;
    for (int again = 0; again < 2; ++again) {
      measure(number, shards);
      for (std::ptrdiff_t i = from; i < from + count; ++i) {
        auto& best = lines_[static_cast<std::size_t>(i)][3];
        best = std::min(best, lines_[static_cast<std::size_t>(i + count)][3]);
      }
      lines_.resize(static_cast<std::size_t>(from + count));
    }
  }

  void measure(std::int64_t number, std::int64_t shards) {
    const RankOptions ranks{.communicator = Communicator::alone(), .shards = shards};
    BatchesOptions options = batches_.options();
    options.prefetch = 0;
    Epoch epoch = Batches{batches_.data(), options}.epoch(0, number, ranks);
    const Batch& batch = *epoch.begin();
    std::vector<Parameter> all = model_.parameters();
    all.insert(all.end(), optimizer_.parameters().begin(), optimizer_.parameters().end());
    model_.reset_states();
    const NoiseStep noise({});
    ShardedStep step(std::move(all), ranks);
    for (const auto& shard : batch.share->own) {
      if (!shard.rows.empty()) measure_shard(step, shard, batch.share->lengths);
    }
    const double update = seconds_of([&] {
      step.finish(batch.size());
      optimizer_.step();
    });
    made_.update = made_.update > 0 ? std::min(made_.update, update) : update;
  }

  void measure_shard(ShardedStep& step, const data::Share::Shard& shard,
                     const std::vector<std::int64_t>& lengths) {
    std::int64_t rows = 0, longest = 0;
    for (const auto row : shard.rows) {
      const auto length = lengths[static_cast<std::size_t>(row)];
      rows += length;
      longest = std::max(longest, length);
    }
    model_.reset_states();
    const auto before = memory::stats().bytes_in_use;
    if (first_) memory::reset_high_water();
    const double taken = seconds_of([&] {
      step.begin_shard(shard.rows);
      step.add_part(loss_(shard.batch, model_(shard.batch.inputs)));
      step.end_shard();
    });
    if (rows == 0) return;
    // Of the whole batch; from the second time on nothing is new.
    lines_.push_back({1, static_cast<double>(rows), static_cast<double>(longest), taken});
    if (!first_) return;
    const auto bytes = static_cast<double>(memory::stats().high_water - before);
    made_.row_bytes = std::max(made_.row_bytes, bytes / static_cast<double>(rows));
  }

  const ModelRef& model_;
  Optimizer& optimizer_;
  const Batches& batches_;
  const TrainingLoss& loss_;
  std::vector<Line> lines_;
  bool first_ = true;
  MeasuredStep made_;
};

}  // namespace

MeasuredStep measure_step(const ModelRef& model, Optimizer& optimizer, const Batches& batches,
                          const TrainingLoss& loss) {
  MeasuredStep made;
  const KeptTraining kept(model, optimizer);
  if (batches.data().size() > 0 && batches.size(0) > 0) {
    made = Measuring(model, optimizer, batches, loss).run();
  }
  std::int64_t values = 0;
  for (const auto& p : trainable(model.parameters())) {
    values += p.shape().count() * (p.dtype() == DType::f64 ? 2 : 1);
  }
  made.gradient_bytes = 4.0 * static_cast<double>(values);
  std::vector<float> one(static_cast<std::size_t>(values), 1.0f), other(one);
  made.add = seconds_of([&] { kernels::add_to<float>(one, other); });
  made.kept_bytes = 3 * made.gradient_bytes;  // weights, gradients, their sums
  for (const auto& array : optimizer.state_arrays()) {
    made.kept_bytes += static_cast<double>(array.array.bytes.size());
  }
  return made;
}

}  // namespace maskgrad::detail
