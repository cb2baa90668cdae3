#include <algorithm>
#include <cstdint>

#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/pooled.hpp>
#include <maskgrad/optim/distributed/transport.hpp>

namespace maskgrad::detail {
namespace {

bool is_power_of_two(int n) {
  return (n & (n - 1)) == 0;
}

/// A part of the values: [from, to).
struct Part {
  std::size_t from, to;
  std::size_t size() const { return to - from; }
  template <class T>
  std::span<T> of(std::span<T> values) const {
    return values.subspan(from, size());
  }
};

/// At distance 1, 2, 4, ...: each of two partners keeps the sum of one half of what both have, and
/// back again hands it over. a + b is b + a, so that both orders are one tree.
template <class T>
void sum_by_halves(Transport& transport, std::span<T> values) {
  std::vector<Part> parts{{0, values.size()}};
  extend::Pooled<T> other(static_cast<std::int64_t>(values.size() / 2 + 1));
  const int rank = transport.rank();
  for (int distance = 1; distance < transport.size(); distance *= 2) {
    const Part all = parts.back();
    const auto middle = all.from + all.size() / 2;
    const Part low{all.from, middle}, high{middle, all.to};
    const bool lower = (rank & distance) == 0;
    const Part own = lower ? low : high, given = lower ? high : low;
    const std::span<T> in(other.data(), own.size());
    transport.exchange(rank ^ distance, std::as_bytes(given.of(values)), rank ^ distance,
                       std::as_writable_bytes(in));
    kernels::add_to<T>(in, own.of(values));
    parts.push_back(own);
  }
  for (int distance = transport.size() / 2; distance > 0; distance /= 2) {
    const Part own = parts.back();
    parts.pop_back();
    const Part all = parts.back();
    const Part rest = (rank & distance) == 0 ? Part{own.to, all.to} : Part{all.from, own.from};
    transport.exchange(rank ^ distance, std::as_bytes(own.of(values)), rank ^ distance,
                       std::as_writable_bytes(rest.of(values)));
  }
}

/// Any number of ranks: rank r adds up part r of all, in the tree's order, and hands it to all.
template <class T>
void sum_by_parts(Transport& transport, std::span<T> values) {
  const int rank = transport.rank(), size = transport.size();
  const auto part = [&](int r) {
    const auto n = values.size(), s = static_cast<std::size_t>(size);
    const auto i = static_cast<std::size_t>(r);
    return Part{n * i / s, n * (i + 1) / s};
  };
  const Part own = part(rank);
  std::vector<extend::Pooled<T>> all(static_cast<std::size_t>(size));
  const auto of_rank = [&](int r) {
    return std::span<T>(all[static_cast<std::size_t>(r)].data(), own.size());
  };
  for (auto& each : all) each = extend::Pooled<T>(static_cast<std::int64_t>(own.size()));
  std::copy_n(own.of(values).begin(), own.size(), of_rank(rank).begin());
  for (int k = 1; k < size; ++k) {
    const int to = (rank + k) % size, from = (rank + size - k) % size;
    transport.exchange(to, std::as_bytes(part(to).of(values)), from,
                       std::as_writable_bytes(of_rank(from)));
  }
  for (int distance = 1; distance < size; distance *= 2) {
    for (int r = 0; r + distance < size; r += 2 * distance) {
      kernels::add_to<T>(of_rank(r + distance), of_rank(r));
    }
  }
  std::copy_n(of_rank(0).begin(), own.size(), own.of(values).begin());
  for (int k = 1; k < size; ++k) {
    const int to = (rank + k) % size, from = (rank + size - k) % size;
    transport.exchange(to, std::as_bytes(own.of(values)), from,
                       std::as_writable_bytes(part(from).of(values)));
  }
}

template <class T>
void sum_over_ranks(Transport& transport, std::span<T> values) {
  if (transport.size() == 1) return;
  is_power_of_two(transport.size()) ? sum_by_halves(transport, values)
                                    : sum_by_parts(transport, values);
}

}  // namespace

void tree_sum(Transport& transport, std::span<float> values) {
  sum_over_ranks(transport, values);
}
void tree_sum(Transport& transport, std::span<double> values) {
  sum_over_ranks(transport, values);
}

}  // namespace maskgrad::detail
