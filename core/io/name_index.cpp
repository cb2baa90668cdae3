#include <maskgrad/core/io/name_index.hpp>

#include <algorithm>
#include <numeric>

namespace maskgrad::detail {

NameIndex::NameIndex(std::vector<std::string> names)
    : names_(std::move(names)), sorted_(names_.size()) {
  std::iota(sorted_.begin(), sorted_.end(), std::size_t{0});
  // Equal names stay in the order of the file, so that the second one is the one reported.
  std::sort(sorted_.begin(), sorted_.end(), [&](std::size_t a, std::size_t b) {
    const int order = names_[a].compare(names_[b]);
    return order != 0 ? order < 0 : a < b;
  });
}

std::optional<std::size_t> NameIndex::repeated() const {
  const auto same = [&](std::size_t a, std::size_t b) { return names_[a] == names_[b]; };
  const auto found = std::adjacent_find(sorted_.begin(), sorted_.end(), same);
  if (found == sorted_.end()) return std::nullopt;
  return *(found + 1);
}

std::optional<std::size_t> NameIndex::find(std::string_view name) const {
  const auto before = [&](std::size_t i, std::string_view wanted) { return names_[i] < wanted; };
  const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), name, before);
  if (found == sorted_.end() || names_[*found] != name) return std::nullopt;
  return *found;
}

std::size_t NameIndex::require(std::string_view name, const Place& place) const {
  if (const auto found = find(name)) return *found;
  constexpr std::size_t shown = 8;
  std::string there;
  for (std::size_t i = 0; i < std::min(names_.size(), shown); ++i) {
    there += (i == 0 ? "" : ", ") + in_quotes(names_[i]);
  }
  if (names_.size() > shown) there += ", ...";
  fail<FileError>(place.where, "{} holds no array {}; expected one of its {}: {}; see names()",
                  place.file, in_quotes(name), names_.size(), there.empty() ? "none" : there);
}

}  // namespace maskgrad::detail
