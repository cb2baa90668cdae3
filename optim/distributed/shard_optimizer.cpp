#include <maskgrad/optim/distributed/shard_optimizer.hpp>

#include <algorithm>
#include <cstring>
#include <numeric>

#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/distributed/transport.hpp>

namespace maskgrad {
namespace detail {
namespace {

std::span<std::byte> bytes_of_whole(const Tensor& x) {
  const std::size_t size = x.dtype() == DType::f32 ? 4 : 8;
  return {x.impl().storage.data(), static_cast<std::size_t>(rows::total(x)) * size};
}

/// The rank that holds and steps each parameter: the largest first, each to the rank that has least.
std::vector<int> owners_of(const std::vector<Parameter>& parameters, int ranks) {
  std::vector<std::size_t> order(parameters.size());
  std::iota(order.begin(), order.end(), 0);
  const auto size = [&](std::size_t i) { return parameters[i].shape().count(); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return size(a) > size(b); });
  std::vector<std::int64_t> load(static_cast<std::size_t>(ranks));
  std::vector<int> owners(parameters.size());
  for (const auto i : order) {
    const auto least = std::min_element(load.begin(), load.end());
    *least += size(i);
    owners[i] = static_cast<int>(least - load.begin());
  }
  return owners;
}

/// Each rank gets the weights that the others have stepped.
void share_weights(const Optimizer& optimizer, const Communicator& communicator) {
  const auto& parameters = optimizer.parameters();
  const auto owners = owners_of(parameters, communicator.size());
  std::string own;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (owners[i] != communicator.rank() || !parameters[i].trainable()) continue;
    const auto bytes = bytes_of_whole(parameters[i].tensor());
    own.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  const auto all = communicator.gather(own);
  std::vector<std::size_t> at(all.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto owner = static_cast<std::size_t>(owners[i]);
    if (!parameters[i].trainable()) continue;
    const Tensor& live = parameters[i].tensor();
    const auto bytes = bytes_of_whole(live);
    if (owners[i] != communicator.rank()) {
      std::memcpy(bytes.data(), all[owner].data() + at[owner], bytes.size());
      live.impl().storage.bump_version();
    }
    at[owner] += bytes.size();
  }
}

}  // namespace

/// Reaches what an optimizer keeps.
class OptimizerPart {
 public:
  OptimizerPart(Optimizer& optimizer, const Communicator& communicator)
      : optimizer_(optimizer),
        communicator_(communicator),
        owners_(owners_of(optimizer.parameters(), communicator.size())) {}

  void keep() {
    auto& elsewhere = optimizer_.elsewhere_;
    if (!elsewhere.empty()) return;
    for (const int owner : owners_) elsewhere.push_back(owner != communicator_.rank());
    each_elsewhere([](Tensor& x, int) { x = rows::make_meta(x.shape(), x.dtype(), {}); });
  }

  /// Whether any rank holds a part alone: one on which a training ended in an error may be whole.
  bool any_in_parts() const {
    double any[] = {optimizer_.elsewhere_.empty() ? 0.0 : 1.0};
    communicator_.max(any);
    return any[0] > 0;
  }

  /// To one rank, or to all: -1.
  void gather(int to) {
    const int rank = communicator_.rank();
    for (auto& state : optimizer_.states()) {
      for (std::size_t i = 0; i < state.of.size(); ++i) {
        Tensor& x = state.of[i];
        const bool takes = to < 0 || to == rank;
        if (!x.defined()) continue;
        if (x.is_meta() && owners_[i] == rank) refuse_others();
        if (x.is_meta() && takes) x = rows::make(x.shape(), x.dtype());
        if (to < 0) {
          communicator_.broadcast(bytes_of_whole(x), owners_[i]);
        } else {
          send(x, owners_[i], to);
        }
      }
    }
    if (to < 0 || to == rank) optimizer_.elsewhere_.clear();
  }

 private:
  [[noreturn]] void refuse_others() const {
    fail<StateError>("gather_optimizer",
                     "the optimizer {} is shared over another number of ranks than these {}; give "
                     "it the communicator that it was trained on",
                     optimizer_.kind(), communicator_.size());
  }
  void send(const Tensor& x, int from, int to) const {
    if (from == to) return;
    auto& transport = communicator_.transport();
    if (communicator_.rank() == from) transport.exchange(to, bytes_of_whole(x), -1, {});
    if (communicator_.rank() == to) transport.exchange(-1, {}, from, bytes_of_whole(x));
  }
  template <class F>
  void each_elsewhere(F&& f) {
    for (auto& state : optimizer_.states()) {
      for (std::size_t i = 0; i < state.of.size(); ++i) {
        if (state.of[i].defined() && optimizer_.elsewhere_[i]) f(state.of[i], owners_[i]);
      }
    }
  }

  Optimizer& optimizer_;
  const Communicator& communicator_;
  std::vector<int> owners_;
};

void keep_part(Optimizer& optimizer, const Communicator& communicator) {
  if (communicator.size() > 1) OptimizerPart(optimizer, communicator).keep();
}

void gather_on_rank_0(Optimizer& optimizer, const Communicator& communicator) {
  if (communicator.size() == 1) return;
  OptimizerPart part(optimizer, communicator);
  if (part.any_in_parts()) part.gather(0);
}

}  // namespace detail

StepReport step_in_parts(Optimizer& optimizer, const Communicator& communicator) {
  detail::keep_part(optimizer, communicator);
  StepReport report = optimizer.step();
  if (report.applied && communicator.size() > 1) detail::share_weights(optimizer, communicator);
  return report;
}

void gather_optimizer(Optimizer& optimizer, const Communicator& communicator) {
  if (communicator.size() == 1) return;
  detail::OptimizerPart part(optimizer, communicator);
  if (part.any_in_parts()) part.gather(-1);
}

}  // namespace maskgrad
