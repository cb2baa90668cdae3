#include <maskgrad/optim/distributed/shard_team.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include <maskgrad/autograd/anomaly.hpp>
#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view in_shard_team = "ShardedStep";
constexpr char waits = 'w', has_ended = 'e';

/// Takes a shard back to where it began: another one has failed. No error of anyone's own.
struct CalledOff {};

/// What a rank says of the sum for which it waits.
std::string call_text(std::string_view what, std::size_t count) {
  return waits + std::to_string(count) + " " + std::string(what);
}

std::size_t count_of(const std::string& call) {
  return std::stoull(call.substr(1));
}

std::string call_as_told(const std::string& call) {
  const auto at = call.find(' ');
  return "a sum of " + call.substr(1, at - 1) + " values in '" + call.substr(at + 1) + "'";
}

/// GradError where two shards do not wait for the same sum.
void check_alike(const std::string& a, const std::string& b) {
  if (a == b) return;
  fail<GradError>(in_shard_team,
                  "a shard has come to {}, another one to {}: all shards of a step are to make the "
                  "same calls. Where what is called goes by the data, give BatchNormalization "
                  ".synchronized = false",
                  call_as_told(a), call_as_told(b));
}

void add_values(std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
}

}  // namespace

class ShardTeam::Meeting final : public ShardMeeting {
 public:
  Meeting(ShardTeam& team, std::size_t shard) : team_(&team), shard_(shard) {}
  void close() { team_ = nullptr; }
  void sum(std::string_view what, std::span<double> values) override {
    if (team_) return team_->meet(shard_, what, values);
    fail<GradError>(in_shard_team,
                    "the step in which '{}' took the statistics of all shards is over; run "
                    "backward within it",
                    what);
  }

  /// Computes the shard, and closes the meeting at its end.
  static void compute(ShardTeam& team, std::size_t shard) {
    struct Closing {
      std::shared_ptr<Meeting> meeting;
      ~Closing() { meeting->close(); }
    } closing{std::make_shared<Meeting>(team, shard)};
    const ShardMeetingScope scope(closing.meeting);
    team.work_->shard(shard, shard != team.own_);
  }

 private:
  ShardTeam* team_;
  std::size_t shard_;
};

ShardTeam::~ShardTeam() {
  cancel();
}

void ShardTeam::run(const Work& work) {
  work_ = &work;
  members_ = std::vector<Member>(work.has_rows.size());
  cancelled_ = false;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (work.has_rows[i]) members_[i].stage = Stage::fresh;
  }
  std::exception_ptr failed;
  try {
    for (own_ = 0; own_ < members_.size(); ++own_) {
      if (members_[own_].stage != Stage::fresh) continue;
      members_[own_].stage = Stage::ready;
      turn_ = own_;  // no other thread is there now
      Meeting::compute(*this, own_);
      members_[own_].stage = Stage::ended;
      for (bool any = true; any;) {  // those that met it are not yet at their ends
        gather_others(own_);
        any = std::any_of(members_.begin(), members_.end(),
                          [](const Member& m) { return m.stage == Stage::waiting; });
        if (any) sum_waiting();
      }
    }
  } catch (...) {
    failed = std::current_exception();
  }
  cancel();
  for (const Member& each : members_) {
    if (each.error) failed = each.error;
  }
  members_.clear();
  if (failed) std::rethrow_exception(failed);
}

void ShardTeam::start(std::size_t shard) {
  Member& member = members_[shard];
  const bool looks_for_anomalies = DetectAnomaly::current() != nullptr;
  member.stage = Stage::ready;
  member.thread = std::thread([this, shard, looks_for_anomalies] {
    {
      std::unique_lock lock(mutex_);
      turned_.wait(lock, [&] { return turn_ == shard; });
    }
    Member& own = members_[shard];
    try {
      std::optional<DetectAnomaly> anomaly;
      if (looks_for_anomalies) anomaly.emplace();
      if (!cancelled_) Meeting::compute(*this, shard);
    } catch (const CalledOff&) {
    } catch (...) {
      own.error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    own.stage = Stage::ended;
    turn_ = own_;
    turned_.notify_all();
  });
}

void ShardTeam::resume(std::size_t shard) {
  work_->turn(own_, shard);
  {
    std::unique_lock lock(mutex_);
    turn_ = shard;
    turned_.notify_all();
    turned_.wait(lock, [&] { return turn_ == own_; });
  }
  work_->turn(shard, own_);
}

void ShardTeam::meet(std::size_t shard, std::string_view what, std::span<double> values) {
  Member& own = members_[shard];
  own.what = call_text(what, values.size());
  own.values = values;
  own.stage = Stage::waiting;
  if (shard == own_) {
    gather_others(shard);
    sum_waiting();
    return;
  }
  std::unique_lock lock(mutex_);
  turn_ = own_;
  turned_.notify_all();
  turned_.wait(lock, [&] { return turn_ == shard; });
  if (cancelled_) throw CalledOff();
}

void ShardTeam::gather_others(std::size_t own) {
  const bool met = members_[own].stage == Stage::waiting;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (i == own) continue;
    Member& member = members_[i];
    if (member.stage == Stage::fresh && met) start(i);
    if (member.stage == Stage::ready) resume(i);
    if (member.error) throw CalledOff();
  }
}

/// In the tree in which gradients are added: that of all shards of all ranks.
std::vector<double> ShardTeam::sum_here(std::size_t count) const {
  std::vector<std::pair<int, std::vector<double>>> subtrees;
  for (const Member& member : members_) {
    std::vector<double> own(count);
    if (member.stage == Stage::waiting) own.assign(member.values.begin(), member.values.end());
    int height = 0;
    for (; !subtrees.empty() && subtrees.back().first == height; ++height) {
      add_values(subtrees.back().second, own);
      own = std::move(subtrees.back().second);
      subtrees.pop_back();
    }
    subtrees.emplace_back(height, std::move(own));
  }
  std::vector<double> all(count);
  for (auto subtree = subtrees.rbegin(); subtree != subtrees.rend(); ++subtree) {
    add_values(subtree->second, all);
    all = std::move(subtree->second);
  }
  return all;
}

void ShardTeam::sum_waiting() {
  std::string call;
  for (const Member& member : members_) {
    if (member.stage != Stage::waiting) continue;
    if (call.empty()) call = member.what;
    check_alike(call, member.what);
  }
  if (communicator_.size() > 1) {
    for (const auto& other : communicator_.gather(call)) {
      if (other.front() == waits) check_alike(call, other);
    }
  }
  auto all = sum_here(count_of(call));
  communicator_.sum(std::span<double>(all));
  for (Member& member : members_) {
    if (member.stage != Stage::waiting) continue;
    std::copy(all.begin(), all.end(), member.values.begin());
    member.stage = Stage::ready;
  }
}

std::vector<std::string> ShardTeam::end(const std::string& message) const {
  for (;;) {
    auto all = communicator_.gather(has_ended + message);
    const auto waiting =
        std::find_if(all.begin(), all.end(), [](const auto& text) { return text[0] == waits; });
    if (waiting == all.end()) {
      for (auto& text : all) text.erase(0, 1);
      return all;
    }
    for (const auto& text : all) {
      if (text[0] == waits) check_alike(*waiting, text);
    }
    std::vector<double> none(count_of(*waiting));
    communicator_.sum(std::span<double>(none));
  }
}

void ShardTeam::cancel() noexcept {
  cancelled_ = true;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    Member& member = members_[i];
    if (!member.thread.joinable()) continue;
    if (member.stage != Stage::ended) {
      const std::lock_guard lock(mutex_);
      turn_ = i;
      turned_.notify_all();
    }
    member.thread.join();
  }
}

}  // namespace maskgrad::detail
