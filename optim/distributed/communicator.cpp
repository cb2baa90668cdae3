#include <maskgrad/optim/distributed/communicator.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include <maskgrad/optim/distributed/transport.hpp>

namespace maskgrad {
namespace {

using detail::Transport;

/// The one rank there is.
class AloneTransport final : public Transport {
 public:
  AloneTransport() : Transport(0, 1) {}
  void abort(const std::string&) noexcept override {}

 private:
  void move(int, std::span<const std::byte>, int, std::span<std::byte>) override {}
};

/// The blocks of all ranks, of which `sizes` says how long they are, one behind the other by rank.
/// In each round a rank hands on all that it has: Bruck et al. 1997.
std::string gather_blocks(Transport& transport, std::string_view own,
                          const std::vector<std::uint64_t>& sizes) {
  const int size = transport.size(), rank = transport.rank();
  const auto size_of = [&](int r) { return sizes[static_cast<std::size_t>(r % size)]; };
  std::string all(own);  // from this rank on, in a circle
  for (int distance = 1; distance < size; distance *= 2) {
    const int count = std::min(distance, size - distance);
    std::uint64_t out = 0, in = 0;
    for (int i = 0; i < count; ++i) {
      out += size_of(rank + i);
      in += size_of(rank + distance + i);
    }
    const auto begin = all.size();
    all.resize(begin + in);
    const auto bytes = std::as_writable_bytes(std::span<char>(all));
    transport.exchange((rank + size - distance) % size, bytes.first(out), (rank + distance) % size,
                       bytes.subspan(begin));
  }
  std::uint64_t of_later = 0;
  for (int r = rank; r < size; ++r) of_later += size_of(r);
  std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(of_later), all.end());
  return all;
}

template <class T>
std::string_view text_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// The same number of bytes from each.
std::string gather_same(Transport& transport, std::string_view own) {
  const std::vector<std::uint64_t> sizes(static_cast<std::size_t>(transport.size()), own.size());
  return gather_blocks(transport, own, sizes);
}

}  // namespace

Communicator::Communicator(std::shared_ptr<Transport> transport)
    : transport_(std::move(transport)) {}

Communicator Communicator::alone() {
  return Communicator(std::make_shared<AloneTransport>());
}

int Communicator::rank() const {
  return transport_ ? transport_->rank() : 0;
}
int Communicator::size() const {
  return transport_ ? transport_->size() : 1;
}

void Communicator::sum(std::span<float> values) const {
  if (size() > 1) detail::tree_sum(*transport_, values);
}
void Communicator::sum(std::span<double> values) const {
  if (size() > 1) detail::tree_sum(*transport_, values);
}

void Communicator::max(std::span<double> values) const {
  if (size() == 1) return;
  const auto bytes = std::as_bytes(values);
  const std::string all =
      gather_same(*transport_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  for (int r = 0; r < size(); ++r) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      double other = 0;
      std::memcpy(&other,
                  all.data() + static_cast<std::size_t>(r) * bytes.size() + i * sizeof other,
                  sizeof other);
      if (other > values[i] || other != other) values[i] = other;
    }
  }
}

void Communicator::broadcast(std::span<std::byte> bytes, int from) const {
  const int all = size();
  if (from < 0 || from >= all) {
    fail<IndexError>("Communicator::broadcast", "from rank {} of {}; expected 0 to {}", from, all,
                     all - 1);
  }
  if (all == 1) return;
  const int place = (rank() + all - from) % all;  // behind the one that has it
  int above = 1;
  while (above <= place) above *= 2;
  if (place > 0) transport_->exchange(-1, {}, (place - above / 2 + from) % all, bytes);
  for (; place + above < all; above *= 2) {
    transport_->exchange((place + above + from) % all, bytes, -1, {});
  }
}

void Communicator::broadcast(std::string& text, int from) const {
  std::uint64_t length = text.size();
  broadcast(std::as_writable_bytes(std::span(&length, 1)), from);
  text.resize(length);
  broadcast(std::as_writable_bytes(std::span<char>(text)), from);
}

std::vector<std::string> Communicator::gather(std::string_view own) const {
  if (size() == 1) return {std::string(own)};
  const std::uint64_t length = own.size();
  const std::string lengths = gather_same(*transport_, text_of(length));
  std::vector<std::uint64_t> sizes(static_cast<std::size_t>(size()));
  std::memcpy(sizes.data(), lengths.data(), lengths.size());
  const std::string all = gather_blocks(*transport_, own, sizes);
  std::vector<std::string> texts;
  std::size_t at = 0;
  for (const auto bytes : sizes) texts.push_back(all.substr(std::exchange(at, at + bytes), bytes));
  return texts;
}

void Communicator::barrier() const {
  if (size() > 1) gather_same(*transport_, "-");
}

void Communicator::abort(const std::string& text) const noexcept {
  if (transport_) transport_->abort(text);
}

RankTraffic Communicator::traffic() const {
  return transport_ ? transport_->traffic() : RankTraffic{};
}

}  // namespace maskgrad
