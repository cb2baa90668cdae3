#include <maskgrad/optim/data/loader.hpp>

#include <system_error>

#include <maskgrad/autograd/mode.hpp>

namespace maskgrad::data {

Loader::Loader(std::shared_ptr<const Planner> planner, std::shared_ptr<const Plan> plan,
               std::int64_t at)
    : planner_(std::move(planner)), plan_(std::move(plan)), at_(at) {}

Loader::~Loader() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Batch Loader::make(std::int64_t b) const {
  const NoGrad no_grad;
  const auto pieces = plan_->batch(b);
  const auto* begins = plan_->begins.data() + plan_->first[static_cast<std::size_t>(b)];
  Batch batch = planner_->data().source()->read(pieces);
  for (std::size_t r = 0; r < pieces.size(); ++r) {
    batch.samples.push_back(pieces[r].sample);
    if (begins[r]) batch.begins.push_back(static_cast<std::int64_t>(r));
  }
  return batch;
}

Loader::Made Loader::attempt(std::int64_t b) const {
  try {
    return {make(b), nullptr};
  } catch (...) {
    return {{}, std::current_exception()};
  }
}

void Loader::start() {
  started_ = true;
  if (planner_->options().prefetch == 0) return;
  try {
    thread_ = std::thread([this, b = at_] { run(b); });
  } catch (const std::system_error&) {
    // The system gives no thread: each batch is made when it is asked for.
  }
}

void Loader::run(std::int64_t b) {
  const auto most = static_cast<std::size_t>(planner_->options().prefetch);
  for (; b < plan_->batches(); ++b) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || made_.size() < most; });
      if (stop_) return;
    }
    Made made = attempt(b);
    const bool failed = made.error != nullptr;
    {
      std::lock_guard lock(mutex_);
      made_.push_back(std::move(made));
    }
    changed_.notify_all();
    if (failed) return;
  }
}

Loader::Made Loader::wait_for_one() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !made_.empty(); });
  Made first = std::move(made_.front());
  made_.pop_front();
  lock.unlock();
  changed_.notify_all();
  return first;
}

std::optional<Batch> Loader::next() {
  if (left() == 0) return std::nullopt;
  if (!started_) start();
  Made made = thread_.joinable() ? wait_for_one() : attempt(at_);
  ++at_;
  if (made.error) {
    at_ = plan_->batches();
    std::rethrow_exception(made.error);
  }
  return std::move(made.batch);
}

}  // namespace maskgrad::data
