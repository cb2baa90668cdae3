#include <maskgrad/optim/distributed/mpi/world.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace maskgrad::detail {
namespace {

constexpr auto between_words = std::chrono::milliseconds(500);
/// How long a process that has failed waits for the others to say why.
constexpr auto goodbye = std::chrono::seconds(2);

void check_mpi(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw RankError("mpi_communicator", "", fmt::format("mpi_communicator: {}: {}", what, text));
}

}  // namespace

MpiWorld::MpiWorld(const MpiOptions& options) : deadline_(options.deadline) {
  int begun = 0;
  MPI_Initialized(&begun);
  int level = MPI_THREAD_SINGLE;
  if (begun == 0) {
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &level), "MPI cannot begin");
  } else {
    MPI_Query_thread(&level);
  }
  threads_ = level == MPI_THREAD_MULTIPLE;
  for (MPI_Comm* each : {&data_, &words_}) {
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, each), "no communicator");
    MPI_Comm_set_errhandler(*each, MPI_ERRORS_RETURN);
  }
  MPI_Comm here = MPI_COMM_NULL;
  if (MPI_Comm_split_type(data_, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here) == MPI_SUCCESS) {
    int ranks = 1;
    MPI_Comm_size(here, &ranks);
    crowded_ = static_cast<unsigned>(ranks) > std::thread::hardware_concurrency();
    MPI_Comm_free(&here);
  }
  MPI_Comm_rank(data_, &rank_);
  MPI_Comm_size(data_, &size_);
  ended_ = std::vector<std::atomic<bool>>(static_cast<std::size_t>(size_));
  heard_ = said_ = Clock::now();
  if (threads_ && size_ > 1) watcher_ = std::thread([this] { watch(); });
}

void MpiWorld::watch() {
  while (!stop_) {
    {
      const std::lock_guard lock(mutex_);
      look_after();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void MpiWorld::wait_a_little(int round) {
  if (!watcher_.joinable() && size_ > 1) {
    const std::lock_guard lock(mutex_);
    look_after();
  }
  // Where each rank has a core, the answer is there sooner than another process gives it back. Who
  // has waited for long sleeps: a core that is given away by yield comes back last where others
  // compute beside, and the rank that is waited for may need this core.
  const bool yields = crowded_ && round < 5000;
  if (yields) std::this_thread::yield();
  if (!yields && round >= 3000) std::this_thread::sleep_for(std::chrono::microseconds(20));
}

void MpiWorld::look_after() {
  for (;;) {
    int there = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, 0, words_, &there, &status) != MPI_SUCCESS || there == 0) break;
    MpiWord word;
    MPI_Recv(&word, sizeof word, MPI_BYTE, status.MPI_SOURCE, 0, words_, MPI_STATUS_IGNORE);
    hear(word, status.MPI_SOURCE);
  }
  std::erase_if(saying_, [](Saying& each) {
    int done = 0;
    return MPI_Test(&each.request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || done != 0;
  });
  const auto now = Clock::now();
  if (now - said_ >= between_words) {
    // What is not taken for long is enough: the next rank has stopped.
    if (saying_.size() < 64) say({MpiWord::alive, rank_}, (rank_ + 1) % size_);
    said_ = now;
  }
  check_silence();
}

void MpiWorld::check_silence() {
  const int before = (rank_ + size_ - 1) % size_;
  if (!threads_ || has_failed_ || has_ended(before)) return;
  const std::chrono::duration<double> silent = Clock::now() - heard_;
  if (silent.count() < deadline_) return;
  const auto text = fmt::format(
      "gave no sign of life for {:.0f} s: it was stopped, or its machine is gone", silent.count());
  failure_.emplace(before, text);
  has_failed_ = true;
  MpiWord word{MpiWord::failed, before};
  std::snprintf(word.text, sizeof word.text, "%s", text.c_str());
  for (int r = 0; r < size_; ++r) {
    if (r != rank_) say(word, r);
  }
}

void MpiWorld::hear(const MpiWord& word, int from) {
  if (from == (rank_ + size_ - 1) % size_) heard_ = Clock::now();
  if (word.kind == MpiWord::ended) ended_[static_cast<std::size_t>(from)] = true;
  if (word.kind != MpiWord::failed || failure_) return;
  failure_.emplace(word.origin, word.text);
  has_failed_ = true;
}

void MpiWorld::say(const MpiWord& word, int to) {
  Saying each{MPI_REQUEST_NULL, std::make_unique<MpiWord>(word)};
  if (MPI_Isend(each.word.get(), sizeof word, MPI_BYTE, to, 0, words_, &each.request) ==
      MPI_SUCCESS) {
    saying_.push_back(std::move(each));
  }
}

void MpiWorld::set_failure(int origin, const std::string& text, bool tell) {
  const std::lock_guard lock(mutex_);
  if (failure_) return;
  failure_.emplace(origin, text);
  has_failed_ = true;
  if (!tell) return;
  MpiWord word{MpiWord::failed, origin};
  std::snprintf(word.text, sizeof word.text, "%s", text.c_str());
  for (int r = 0; r < size_; ++r) {
    if (r != rank_) say(word, r);
  }
}

void MpiWorld::refuse_failed() {
  if (!has_failed_) return;
  const std::lock_guard lock(mutex_);
  throw_rank_error(failure_->first, size_, failure_->second);
}

bool MpiWorld::all_came() {
  MPI_Request request;
  if (MPI_Ibarrier(words_, &request) != MPI_SUCCESS) return false;
  std::optional<Clock::time_point> failed;  // when that was first seen
  for (int round = 0;; ++round) {
    int done = 0;
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    if (done != 0) return true;
    if (has_failed_ && !failed) failed = Clock::now();
    if (failed && Clock::now() - *failed > goodbye) return false;
    wait_a_little(round);
  }
}

void MpiWorld::end() {
  if (!has_failed_ && size_ > 1) {
    const std::lock_guard lock(mutex_);
    for (int r = 0; r < size_; ++r) {
      if (r != rank_) say({MpiWord::ended, rank_}, r);
    }
  }
  const bool all = all_came();
  stop_ = true;
  if (watcher_.joinable()) watcher_.join();
  if (!all) {  // one is gone or stopped: mpirun ends it, and all
    std::fflush(nullptr);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  for (Saying& each : saying_) MPI_Request_free(&each.request);
  for (auto& each : saying_) static_cast<void>(each.word.release());  // MPI may still read it
  MPI_Finalize();
}

}  // namespace maskgrad::detail
