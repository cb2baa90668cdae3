#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include <maskgrad/core/io/json_limits.hpp>

namespace maskgrad::detail {

using Json = nlohmann::ordered_json;  ///< keeps the order of its keys
using SortedJson = nlohmann::json;

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

/// What a text of our own making says, of any size; discarded where it is no JSON.
SortedJson parse_own_json(std::string_view text);

/// A value as text, on one line or indented; what is no UTF-8 in it is replaced.
std::string json_text(const Json& json, int indent = -1);
std::string json_text(const SortedJson& json, int indent = -1);

/// The same, and a Json::exception where something in it is no UTF-8.
std::string strict_json_text(const Json& json);

}  // namespace maskgrad::detail
