#include <maskgrad/optim/distributed/transport.hpp>

#include <fmt/format.h>

namespace maskgrad::detail {

Transport::Counting::Counting(Transport& of, double bytes)
    : traffic_(of.traffic_), begin_(std::chrono::steady_clock::now()) {
  traffic_.bytes += bytes;
  traffic_.messages += 1;
}

Transport::Counting::~Counting() {
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin_;
  traffic_.seconds += taken.count();
}

void Transport::exchange(int to, std::span<const std::byte> out, int from,
                         std::span<std::byte> in) {
  const Counting counting(*this, to < 0 ? 0 : static_cast<double>(out.size()));
  move(to, out, from, in);
}

void throw_rank_error(int rank, int size, const std::string& what) {
  throw RankError("ranks", detail::current_layer_path(),
                  fmt::format("rank {} of {} {}", rank, size, what), rank);
}

void throw_other_sizes(const Transport& own, int from, std::size_t got, std::size_t expected) {
  throw_rank_error(from, own.size(),
                   fmt::format("sent {} bytes where rank {} expects {}: the ranks do not make the "
                               "same calls in the same order; look for an `if` on the rank, or "
                               "other data",
                               got, own.rank(), expected));
}

}  // namespace maskgrad::detail
