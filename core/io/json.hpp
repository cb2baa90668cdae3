#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include <maskgrad/core/io/json_limits.hpp>

namespace maskgrad::detail {

/// Keeps the order of its keys.
using Json = nlohmann::ordered_json;

/// What a text was parsed to, or why it was not.
struct ParsedJson {
  Json json;
  std::string trouble;  ///< empty where it is JSON within the limits
};

/// The one parser for JSON of files and users: it throws nothing, takes time and memory that are
/// linear in the text, and refuses keys that come twice, depth and counts beyond the limits.
ParsedJson parse_json(std::string_view text, const JsonLimits& limits = JsonLimitsScope::current());

/// Why a value would not be read back within the limits; empty where it would.
std::string beyond_limits(const Json& json, const JsonLimits& limits = JsonLimitsScope::current());

/// A value as text; what is no UTF-8 in it is replaced.
template <class J>
std::string json_text(const J& json) {
  return json.dump(-1, ' ', false, J::error_handler_t::replace);
}

}  // namespace maskgrad::detail
