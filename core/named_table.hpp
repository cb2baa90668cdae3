#pragma once

#include <array>
#include <string_view>

#include <maskgrad/core/error.hpp>
#include <maskgrad/core/nearest.hpp>

/// Tables whose rows have a `name`: what factories look things up in.
namespace maskgrad {

template <class Row, std::size_t n>
constexpr std::array<std::string_view, n> names_of(const std::array<Row, n>& table) {
  std::array<std::string_view, n> names;
  for (std::size_t i = 0; i < n; ++i) names[i] = table[i].name;
  return names;
}

/// The row of that name. Throws OptionError from `where`, with the nearest, where there is no such
/// `what`.
template <class Row, std::size_t n>
const Row& find_named(std::string_view where, std::string_view what,
                      const std::array<Row, n>& table, std::string_view name) {
  for (const auto& row : table) {
    if (name == row.name) return row;
  }
  fail<OptionError>(where, "there is no {} '{}'; {}", what, name,
                    nearest_hint(name, names_of(table)));
}

}  // namespace maskgrad
