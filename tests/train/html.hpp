#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace maskgrad::tests {

/// What is wrong with a page's tags: none that stays open, none closed that was not opened. Empty
/// where nothing is.
inline std::string wrong_tags(std::string_view page) {
  constexpr std::array<std::string_view, 3> single = {"meta", "link", "br"};
  std::vector<std::string_view> open;
  for (std::size_t at = page.find('<'); at != page.npos; at = page.find('<', at + 1)) {
    const auto end = page.find('>', at);
    if (end == page.npos) return "a tag without an end";
    const auto tag = page.substr(at + 1, end - at - 1);
    if (std::count(tag.begin(), tag.end(), '"') % 2 != 0) return "quotes in <" + std::string(tag);
    if (tag.starts_with('!') || tag.ends_with('/')) continue;
    const auto name = tag.substr(tag.starts_with('/'), tag.find(' ') - tag.starts_with('/'));
    if (!tag.starts_with('/')) {
      const bool alone = std::find(single.begin(), single.end(), name) != single.end();
      if (!alone) open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return "</" + std::string(name) + "> where <" +
             std::string(open.empty() ? "nothing" : open.back()) + "> is open";
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "<" + std::string(open.back()) + "> stays open";
}

inline std::size_t count_of(std::string_view page, std::string_view part) {
  std::size_t count = 0;
  for (auto at = page.find(part); at != page.npos; at = page.find(part, at + 1)) ++count;
  return count;
}

inline bool has(std::string_view page, std::string_view part) {
  return page.find(part) != page.npos;
}

}  // namespace maskgrad::tests
