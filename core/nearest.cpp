#include <maskgrad/core/nearest.hpp>
#include <maskgrad/core/quoted.hpp>

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
  // The distance takes the product of both lengths: a hostile name of megabytes would take hours.
  constexpr std::size_t longest = 200;
  for (auto k : known) {
    if (name.size() > longest || k.size() > longest) continue;
    const auto d = distance(name, k);
    if (d < least) {
      least = d;
      best = k;
    }
  }
  std::string all = "there are: ";
  for (std::size_t i = 0; i < known.size(); ++i) {
    all += (i > 0 ? ", " : "") + detail::printable(known[i]);
  }
  return best.empty() ? all : fmt::format("did you mean {}? {}", detail::in_quotes(best), all);
}

}  // namespace maskgrad
