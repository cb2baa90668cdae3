#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <maskgrad/core/io/json.hpp>

/// Reading the JSON of Keras's configurations, in which anything may be missing.
namespace maskgrad::detail {

/// The member of that name; null where there is none, or where it is null.
inline const Json* config_at(const Json& json, std::string_view key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(std::string(key));
  return found == json.end() || found->is_null() ? nullptr : &*found;
}

inline std::string config_text(const Json& json, std::string_view key,
                               std::string_view otherwise = "") {
  const Json* found = config_at(json, key);
  return found && found->is_string() ? found->get<std::string>() : std::string(otherwise);
}
inline bool config_flag(const Json& json, std::string_view key, bool otherwise = false) {
  const Json* found = config_at(json, key);
  if (found && found->is_number()) return found->get<double>() != 0;
  return found && found->is_boolean() ? found->get<bool>() : otherwise;
}

/// A whole number, also written as 3.0, [3] or ["3"].
inline std::optional<std::int64_t> whole_number(const Json& json) {
  if (json.is_array() && json.size() == 1) return whole_number(json[0]);
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (!json.is_number()) return {};
  const double value = json.get<double>();
  if (!(value > -1e15 && value < 1e15)) return {};
  const auto whole = static_cast<std::int64_t>(value);
  return static_cast<double>(whole) == value ? std::optional(whole) : std::nullopt;
}
inline std::optional<std::int64_t> config_whole(const Json& json, std::string_view key) {
  const Json* found = config_at(json, key);
  return found ? whole_number(*found) : std::nullopt;
}

/// Sizes of axes, `free` where they are null; none where it is no list of them.
inline std::optional<std::vector<std::int64_t>> config_sizes(const Json& json, std::int64_t free) {
  if (!json.is_array() || json.size() > 16) return {};
  std::vector<std::int64_t> sizes;
  for (const auto& size : json) {
    const auto number = whole_number(size);
    if (!number && !size.is_null()) return {};
    if (number && (*number < -1 || *number > 1'000'000'000)) return {};
    sizes.push_back(number && *number >= 0 ? *number : free);
  }
  return sizes;
}

}  // namespace maskgrad::detail
