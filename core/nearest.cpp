#include <maskgrad/core/nearest.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace maskgrad {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Letters to change, add or take away to make one of the other; case counts nothing.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto change = diagonal + (lower(a[i]) != lower(b[j]));
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_hint(std::string_view name, std::span<const std::string_view> known) {
  std::string_view best;
  std::size_t least = name.size() / 2 + 1;  // half of the letters wrong is no near miss
  for (auto k : known) {
    const auto d = distance(name, k);
    if (d < least) {
      least = d;
      best = k;
    }
  }
  const std::string all = fmt::format("there are: {}", fmt::join(known, ", "));
  return best.empty() ? all : fmt::format("did you mean '{}'? {}", best, all);
}

}  // namespace maskgrad
