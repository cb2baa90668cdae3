#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/core/io/place.hpp>

namespace maskgrad::detail {

/// The names of a file's arrays in their order, found by binary search.
class NameIndex {
 public:
  NameIndex() = default;
  explicit NameIndex(std::vector<std::string> names);

  const std::vector<std::string>& names() const { return names_; }
  /// The place of a name that comes a second time.
  std::optional<std::size_t> repeated() const;
  std::optional<std::size_t> find(std::string_view name) const;
  /// The place of `name`; FileError, with the names there are, where it is missing.
  std::size_t require(std::string_view name, const Place& place) const;

 private:
  std::vector<std::string> names_;
  std::vector<std::size_t> sorted_;
};

}  // namespace maskgrad::detail
