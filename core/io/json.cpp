
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <maskgrad/core/io/json.hpp>

namespace maskgrad {
namespace {
thread_local JsonLimits limits_now;
}

JsonLimitsScope::JsonLimitsScope(JsonLimits limits) : before_(limits_now) {
  limits_now = limits;
}
JsonLimitsScope::~JsonLimitsScope() {
  limits_now = before_;
}
const JsonLimits& JsonLimitsScope::current() {
  return limits_now;
}

namespace detail {
namespace {

std::string too_deep(const JsonLimits& limits) {
  return fmt::format("it is nested more than {} deep; JsonLimits::depth raises that", limits.depth);
}
std::string too_many(const JsonLimits& limits) {
  return fmt::format("it holds more than {} values; JsonLimits::values raises that", limits.values);
}

std::string too_many_layers(const JsonLimits& limits) {
  return fmt::format("it describes more than {} layers; JsonLimits::layers raises that",
                     limits.layers);
}
constexpr std::string_view layer_key = "class_name";

// Builds the value while the text is parsed. An object's members are put into it when all are
// there: one by one, each would be compared with those before it.
class Builder {
 public:
  Builder(const JsonLimits& limits, std::size_t length) : limits_(limits), length_(length) {}

  bool null() { return add({}); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) { return add(value); }
  bool number_float(double value, const std::string&) { return add(value); }
  bool string(std::string& text) { return add(std::move(text)); }
  bool binary(Json::binary_t&) { return refuse("it holds bytes"); }
  bool start_object(std::size_t) { return open(); }
  bool key(std::string& text) {
    open_.back().keys.push_back(std::move(text));
    return true;
  }
  bool end_object();
  bool start_array(std::size_t) { return open(); }
  bool end_array() {
    Json made = Json::array();
    *made.get_ptr<Json::array_t*>() = std::move(open_.back().values);
    open_.pop_back();
    return put(std::move(made));
  }
  bool parse_error(std::size_t at, const std::string&, const Json::exception& error) {
    return refuse(at > length_ ? fmt::format("it ends too early; {}", error.what())
                               : std::string(error.what()));
  }

  Json made;
  std::string trouble;

 private:
  struct Open {
    std::vector<std::string> keys;  // of an object
    std::vector<Json> values;
  };

  bool refuse(std::string text) {
    if (trouble.empty()) trouble = std::move(text);
    return false;
  }
  bool counts() { return ++values_ <= limits_.values || refuse(too_many(limits_)); }
  bool open() {
    if (std::cmp_greater_equal(open_.size(), limits_.depth)) return refuse(too_deep(limits_));
    open_.emplace_back();
    return counts();
  }
  bool add(Json value) { return counts() && put(std::move(value)); }
  bool put(Json value) {
    if (open_.empty()) {
      made = std::move(value);
    } else {
      open_.back().values.push_back(std::move(value));
    }
    return true;
  }

  const JsonLimits& limits_;
  std::size_t length_;
  std::int64_t values_ = 0, layers_ = 0;
  std::vector<Open> open_;
};

bool Builder::end_object() {
  Open object = std::move(open_.back());
  open_.pop_back();
  std::vector<std::string_view> names(object.keys.begin(), object.keys.end());
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return refuse(fmt::format("an object has '{}' twice", *twice));
  const bool layer = std::binary_search(names.begin(), names.end(), layer_key);
  if (layer && ++layers_ > limits_.layers) return refuse(too_many_layers(limits_));
  Json value = Json::object();
  Json::object_t::Container& members = *value.get_ptr<Json::object_t*>();
  members.reserve(object.keys.size());
  for (std::size_t i = 0; i < object.keys.size(); ++i) {
    members.emplace_back(std::move(object.keys[i]), std::move(object.values[i]));
  }
  return put(std::move(value));
}

struct Amounts {
  std::int64_t values = 0, layers = 0;
};

// How deep it is, its values and layers; gives up where it is beyond the limits.
bool within(const Json& json, const JsonLimits& limits, std::int64_t depth, Amounts& counted) {
  if (++counted.values > limits.values) return false;
  if (!json.is_structured()) return true;
  if (depth >= limits.depth) return false;
  if (json.is_object() && json.contains(layer_key) && ++counted.layers > limits.layers)
    return false;
  return std::all_of(json.begin(), json.end(),
                     [&](const Json& inner) { return within(inner, limits, depth + 1, counted); });
}

}  // namespace

ParsedJson parse_json(std::string_view text, const JsonLimits& limits) {
  Builder builder(limits, text.size());
  try {
    Json::sax_parse(text, &builder);
  } catch (const Json::exception& error) {
    return {{}, error.what()};
  }
  if (!builder.trouble.empty()) return {{}, std::move(builder.trouble)};
  return {std::move(builder.made), {}};
}

std::string beyond_limits(const Json& json, const JsonLimits& limits) {
  Amounts counted;
  if (within(json, limits, 0, counted)) return {};
  if (counted.layers > limits.layers) return too_many_layers(limits);
  return counted.values > limits.values ? too_many(limits) : too_deep(limits);
}

SortedJson parse_own_json(std::string_view text) {
  return SortedJson::parse(text, nullptr, false);
}

std::string json_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}
std::string json_text(const SortedJson& json, int indent) {
  return json.dump(indent, ' ', false, SortedJson::error_handler_t::replace);
}
std::string strict_json_text(const Json& json) {
  return json.dump();
}

}  // namespace detail
}  // namespace maskgrad
