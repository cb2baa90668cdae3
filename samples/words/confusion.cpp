#include "confusion.hpp"

#include <fmt/format.h>

#include <ostream>

namespace words {

void Confusion::add(int truth, int guess) {
  ++counts_[static_cast<std::size_t>(truth) * n + static_cast<std::size_t>(guess)];
}

std::size_t Confusion::count(int truth, int guess) const {
  return counts_[static_cast<std::size_t>(truth) * n + static_cast<std::size_t>(guess)];
}

double Confusion::accuracy() const {
  std::size_t right = 0, all = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    all += counts_[i];
    if (i % (n + 1) == 0) right += counts_[i];
  }
  return all == 0 ? 0 : static_cast<double>(right) / static_cast<double>(all);
}

std::ostream& operator<<(std::ostream& out, const Confusion& table) {
  out << fmt::format("{:<12}", "is \\ taken");
  for (const Language& l : languages) out << fmt::format("{:>9}", l.name);
  out << fmt::format("{:>9}\n", "right");
  for (int truth = 0; truth < static_cast<int>(languages.size()); ++truth) {
    out << fmt::format("{:<12}", languages[static_cast<std::size_t>(truth)].name);
    std::size_t all = 0;
    for (int guess = 0; guess < static_cast<int>(languages.size()); ++guess) {
      all += table.count(truth, guess);
      out << fmt::format("{:>9}", table.count(truth, guess));
    }
    double right = static_cast<double>(table.count(truth, truth));
    out << (all == 0 ? fmt::format("{:>9}\n", "-")
                     : fmt::format("{:>7.1f} %\n", 100 * right / static_cast<double>(all)));
  }
  return out;
}

}  // namespace words
