#include <maskgrad/optim/data/loader.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/core/forks.hpp>
#include <maskgrad/optim/distributed/shards.hpp>

namespace maskgrad::data {

Loader::Loader(std::shared_ptr<const Planner> planner, std::shared_ptr<const Plan> plan,
               std::int64_t at, RankOptions ranks)
    : planner_(std::move(planner)), plan_(std::move(plan)), at_(at), ranks_(std::move(ranks)) {}

Loader::~Loader() {
  leave_behind();
  if (!ahead_) return;
  {
    std::lock_guard lock(ahead_->mutex);
    ahead_->stop = true;
  }
  ahead_->changed.notify_all();
  ahead_->thread.join();
}

/// What a fork has left without its thread can be neither used nor ended.
void Loader::leave_behind() {
  if (ahead_ && ahead_->forks != maskgrad::detail::forks()) {
    static_cast<void>(ahead_.release());
  }
}

Batch Loader::make(std::int64_t b) const {
  const NoGrad no_grad;
  const auto pieces = plan_->batch(b);
  const auto* begins = plan_->begins.data() + plan_->first[static_cast<std::size_t>(b)];
  Batch batch;
  if (!ranks_.communicator) batch = planner_->data().source()->read(pieces);
  for (std::size_t r = 0; r < pieces.size(); ++r) {
    batch.samples.push_back(pieces[r].sample);
    if (begins[r]) batch.begins.push_back(static_cast<std::int64_t>(r));
  }
  if (ranks_.communicator) batch.share = share(pieces, batch);
  return batch;
}

std::shared_ptr<const Share> Loader::share(std::span<const Piece> pieces,
                                           const Batch& whole) const {
  auto made = std::make_shared<Share>();
  for (const Piece& piece : pieces) made->lengths.push_back(piece.steps);
  const bool in_place = planner_->options().window > 0;  // rows go on in the same place
  auto shards = maskgrad::detail::shard_rows(made->lengths, ranks_, in_place);
  made->shards = std::ssize(shards);
  const auto [from, to] = maskgrad::detail::shards_of_rank(made->shards, ranks_.communicator.rank(),
                                                           ranks_.communicator.size());
  for (auto s = from; s < to; ++s) {
    auto& rows = shards[static_cast<std::size_t>(s)];
    std::vector<Piece> own;
    for (const auto row : rows) own.push_back(pieces[static_cast<std::size_t>(row)]);
    Batch batch;
    if (!own.empty()) batch = planner_->data().source()->read(own);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      batch.samples.push_back(own[i].sample);
      if (std::binary_search(whole.begins.begin(), whole.begins.end(), rows[i])) {
        batch.begins.push_back(static_cast<std::int64_t>(i));
      }
    }
    made->own.push_back({std::move(rows), std::move(batch)});
  }
  return made;
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
  auto ahead = std::make_unique<Ahead>();
  ahead->forks = maskgrad::detail::forks();
  try {
    ahead->thread = std::thread([this, &to = *ahead, b = at_] { run(to, b); });
  } catch (const std::system_error&) {
    return;  // the system gives no thread: each batch is made when it is asked for
  }
  ahead_ = std::move(ahead);
}

void Loader::run(Ahead& ahead, std::int64_t b) {
  const auto most = static_cast<std::size_t>(planner_->options().prefetch);
  for (; b < plan_->batches(); ++b) {
    {
      std::unique_lock lock(ahead.mutex);
      ahead.changed.wait(lock, [&] { return ahead.stop || ahead.made.size() < most; });
      if (ahead.stop) return;
    }
    Made made = attempt(b);
    const bool failed = made.error != nullptr;
    {
      std::lock_guard lock(ahead.mutex);
      ahead.made.push_back(std::move(made));
    }
    ahead.changed.notify_all();
    if (failed) return;
  }
}

Loader::Made Loader::wait_for_one(Ahead& ahead) {
  std::unique_lock lock(ahead.mutex);
  ahead.changed.wait(lock, [&] { return !ahead.made.empty(); });
  Made first = std::move(ahead.made.front());
  ahead.made.pop_front();
  lock.unlock();
  ahead.changed.notify_all();
  return first;
}

std::optional<Batch> Loader::next() {
  if (left() == 0) return std::nullopt;
  leave_behind();
  if (!started_) start();
  Made made = ahead_ ? wait_for_one(*ahead_) : attempt(at_);
  ++at_;
  if (made.error) {
    at_ = plan_->batches();
    std::rethrow_exception(made.error);
  }
  return std::move(made.batch);
}

}  // namespace maskgrad::data
