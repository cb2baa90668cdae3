#include <maskgrad/optim/distributed/mpi/mpi.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <vector>

#include <maskgrad/optim/distributed/mpi/world.hpp>
#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {
namespace {

using detail::MpiWorld;

/// At most what an int counts goes in one message.
constexpr std::size_t most_bytes = std::size_t{1} << 30;

class MpiTransport final : public detail::Transport {
 public:
  explicit MpiTransport(MpiWorld& world) : Transport(world.rank(), world.size()), world_(world) {}

  void abort(const std::string& text) noexcept override {
    try {
      world_.set_failure(rank(), "failed: " + text, true);
    } catch (...) {
    }
  }
  bool sum(std::span<float> values) override { return sum_of(values, MPI_FLOAT); }
  bool sum(std::span<double> values) override { return sum_of(values, MPI_DOUBLE); }

 private:
  void move(int to, std::span<const std::byte> out, int from, std::span<std::byte> in) override {
    world_.refuse_failed();
    // Each part is a message of its own; both sides know how many there are.
    do {
      const auto send = std::min(out.size(), most_bytes), take = std::min(in.size(), most_bytes);
      move_part(to, out.first(send), from, in.first(take));
      out = out.subspan(send);
      in = in.subspan(take);
      if (out.empty()) to = -1;
      if (in.empty()) from = -1;
    } while (to >= 0 || from >= 0);
  }

  /// By way of memory that stays: after a failure MPI may still read and write it.
  void move_part(int to, std::span<const std::byte> out, int from, std::span<std::byte> in) {
    MPI_Request requests[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    MPI_Status statuses[2];
    if (from >= 0) {
      in_.resize(std::max(in_.size(), in.size()));
      MPI_Irecv(in_.data(), static_cast<int>(in.size()), MPI_BYTE, from, 0, world_.data(),
                &requests[0]);
    }
    if (to >= 0) {
      out_.resize(std::max(out_.size(), out.size()));
      std::copy(out.begin(), out.end(), out_.begin());
      MPI_Isend(out_.data(), static_cast<int>(out.size()), MPI_BYTE, to, 0, world_.data(),
                &requests[1]);
    }
    wait_for(requests, statuses, from);
    if (from < 0) return;
    int got = 0;
    MPI_Get_count(&statuses[0], MPI_BYTE, &got);
    if (static_cast<std::size_t>(got) != in.size()) refuse_size(from, got, in.size());
    std::copy_n(in_.begin(), in.size(), in.begin());
  }

  [[noreturn]] void refuse_size(int from, int got, std::size_t expected) {
    world_.set_failure(rank(), "failed: the ranks do not make the same calls", true);
    detail::throw_other_sizes(*this, from, static_cast<std::size_t>(got), expected);
  }

  void wait_for(MPI_Request (&requests)[2], MPI_Status (&statuses)[2], int from) {
    const bool receives = requests[0] != MPI_REQUEST_NULL;
    std::optional<std::chrono::steady_clock::time_point> ended;  // when that was first seen
    for (int round = 0;; ++round) {
      int done = 0;
      const int code = MPI_Testall(2, requests, &done, statuses);
      if (code != MPI_SUCCESS) refuse_broken(code, from);
      if (done != 0) return;
      if (receives && world_.has_ended(from) && is_long_ago(ended)) {
        world_.set_failure(from, fmt::format("ended, while rank {} still waits for it", rank()),
                           true);
      }
      world_.refuse_failed();
      world_.wait_a_little(round);
    }
  }

  /// What was sent before the end may still be on its way, for a moment.
  static bool is_long_ago(std::optional<std::chrono::steady_clock::time_point>& since) {
    const auto now = std::chrono::steady_clock::now();
    if (!since) since = now;
    return now - *since > std::chrono::milliseconds(500);
  }

  [[noreturn]] void refuse_broken(int code, int from) {
    char text[MPI_MAX_ERROR_STRING] = {};
    int length = 0;
    MPI_Error_string(code, text, &length);
    world_.set_failure(rank(), fmt::format("failed: MPI says: {}", text), true);
    detail::throw_rank_error(rank(), size(),
                             fmt::format("could not hear from rank {}: {}; the "
                                         "ranks do not make the same calls, or the "
                                         "network broke",
                                         from, text));
  }

  template <class T>
  bool sum_of(std::span<T> values, MPI_Datatype type) {
    constexpr std::size_t most = std::numeric_limits<int>::max();
    const Counting counting(*this,
                            2.0 * static_cast<double>(values.size_bytes()) * (size() - 1) / size());
    for (std::size_t at = 0; at < values.size(); at += most) {
      const auto part = values.subspan(at, std::min(most, values.size() - at));
      const auto bytes = std::as_bytes(part);
      in_.resize(std::max(in_.size(), bytes.size()));
      std::copy(bytes.begin(), bytes.end(), in_.begin());
      MPI_Request requests[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
      MPI_Status statuses[2];
      MPI_Iallreduce(MPI_IN_PLACE, in_.data(), static_cast<int>(part.size()), type, MPI_SUM,
                     world_.data(), &requests[1]);
      wait_for(requests, statuses, -1);
      std::copy_n(in_.begin(), bytes.size(), std::as_writable_bytes(part).begin());
    }
    return true;
  }

  MpiWorld& world_;
  std::vector<std::byte> in_, out_;
};

/// Lives until the process has ended, as threads may compute until then.
MpiWorld& world(const MpiOptions& options) {
  static MpiWorld* const only = [&options] {
    auto* made = new MpiWorld(options);
    std::atexit([] { world({}).end(); });
    return made;
  }();
  return *only;
}

}  // namespace

Communicator mpi_communicator(const MpiOptions& options) {
  check::above_0("mpi_communicator", "deadline", options.deadline);
  static const auto transport = std::make_shared<MpiTransport>(world(options));
  return Communicator(transport);
}

}  // namespace maskgrad
