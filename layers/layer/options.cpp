#include <maskgrad/layers/layer/options.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <maskgrad/core/io/json.hpp>
#include <maskgrad/core/nearest.hpp>

namespace maskgrad::extend {
namespace {
using detail::Json;

void require_object(std::string_view where, const Json& json) {
  if (json.is_object()) return;
  fail<OptionError>(where, "the options are the JSON {}; expected an object, as {{\"units\": 8}}",
                    json.type_name());
}

Json parse(std::string_view where, std::string_view text) {
  auto [json, trouble] = detail::parse_json(text);
  if (!trouble.empty()) {
    fail<OptionError>(
        where,
        "the options are no JSON that can be read: {}; expected an object, as {{\"units\": 8}}",
        trouble);
  }
  return std::move(json);
}

/// What stands there, as `the text "64"`, cut where it is long.
std::string shown(const Json& value) {
  std::string text = detail::json_text(value);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return value.is_string() ? "the text " + text : text;
}

}  // namespace

struct OptionReader::Parts {
  std::shared_ptr<const Json> object;
  std::vector<std::string_view> known, missing;

  const Json* find(OptionName name) const {
    const auto at = object->find(std::string(name.name));
    return at == object->end() ? nullptr : &*at;
  }
  /// The same, for one whose name is thereby known.
  const Json* take(OptionName name) {
    const Json* value = find(name);
    if (std::find(known.begin(), known.end(), name.name) == known.end()) {
      known.push_back(name.name);
      if (!value && name.required) missing.push_back(name.name);
    }
    return value;
  }
};

OptionReader::OptionReader(std::string_view where, std::string_view json)
    : where_(where), parts_(std::make_unique<Parts>()) {
  parts_->object = std::make_shared<const Json>(parse(where, json));
  require_object(where, *parts_->object);
}
OptionReader::OptionReader(std::string_view where, const JsonPart& json)
    : where_(where), parts_(std::make_unique<Parts>()) {
  parts_->object = std::static_pointer_cast<const Json>(json.json_);
  if (!parts_->object) parts_->object = std::make_shared<const Json>(Json::object());
  require_object(where, *parts_->object);
}
OptionReader::~OptionReader() = default;

bool OptionReader::has(OptionName name) {
  return parts_->take(name) != nullptr;
}

bool OptionReader::is_null(OptionName name) const {
  const Json* value = parts_->find(name);
  return !value || value->is_null();
}

void OptionReader::refuse(OptionName name, std::string_view expected) const {
  const Json* value = parts_->find(name);
  fail<OptionError>(where_, "the option .{} is {}; expected {}", name.name,
                    value ? shown(*value) : "missing", expected);
}

void OptionReader::finish() const {
  for (const auto& entry : parts_->object->items()) {
    const auto& known = parts_->known;
    if (std::find(known.begin(), known.end(), entry.key()) != known.end()) continue;
    if (known.empty()) {
      fail<OptionError>(where_, "there is no option '{}'; it has none", entry.key());
    }
    fail<OptionError>(where_, "there is no option '{}'; {}", entry.key(),
                      nearest_hint(entry.key(), known));
  }
  if (parts_->missing.empty()) return;
  fail<OptionError>(where_, "the option .{} is missing; it has no default", parts_->missing[0]);
}

void OptionReader::read(OptionName name, bool& value) {
  const Json* found = parts_->take(name);
  if (!found) return;
  const Json& json = *found;
  if (!json.is_boolean()) refuse(name, "true or false");
  value = json.get<bool>();
}

void OptionReader::read(OptionName name, std::int64_t& value) {
  const Json* found = parts_->take(name);
  if (!found) return;
  const Json& json = *found;
  const bool large = json.is_number_unsigned() &&
                     json.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
  if (!json.is_number_integer() || large) refuse(name, "an integer");
  value = json.get<std::int64_t>();
}

void OptionReader::read(OptionName name, double& value) {
  const Json* found = parts_->take(name);
  if (!found) return;
  const Json& json = *found;
  if (json == "nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (json == "inf" || json == "-inf") {
    value = (json == "inf" ? 1 : -1) * std::numeric_limits<double>::infinity();
  } else if (json.is_number()) {
    value = json.get<double>();
  } else {
    refuse(name, "a number");
  }
}

void OptionReader::read(OptionName name, std::string& value) {
  const Json* found = parts_->take(name);
  if (!found) return;
  const Json& json = *found;
  if (json.is_null() && name.name.ends_with("activation")) {
    value = "linear";
  } else if (json.is_string()) {
    value = json.get<std::string>();
  } else {
    refuse(name, "a text");
  }
}

void OptionReader::read(OptionName name, std::vector<std::int64_t>& value) {
  const Json* json = parts_->take(name);
  if (!json) return;
  const auto fits = [](const Json& item) { return item.is_number_integer() || item.is_null(); };
  if (json->is_number_integer()) {
    value = {json->get<std::int64_t>()};
    return;
  }
  if (!json->is_array() || !std::all_of(json->begin(), json->end(), fits)) {
    refuse(name, "an array of integers");
  }
  value.clear();
  for (const auto& item : *json) value.push_back(item.is_null() ? any : item.get<std::int64_t>());
}

void OptionReader::read(OptionName name, IntegerList& value) {
  const Json* json = parts_->take(name);
  if (!json) return;
  if (json->is_array()) return read(name, value.values);
  value.values.resize(1);
  read(name, value.values[0]);
}

void OptionReader::read(OptionName name, std::vector<std::string>& value) {
  const Json* json = parts_->take(name);
  if (!json) return;
  const auto fits = [](const Json& item) { return item.is_string(); };
  if (!json->is_array() || !std::all_of(json->begin(), json->end(), fits)) {
    refuse(name, "an array of texts");
  }
  value = json->get<std::vector<std::string>>();
}

void OptionReader::read(OptionName name, Seed& value) {
  const Json* found = parts_->take(name);
  if (!found) return;
  const Json& json = *found;
  if (!json.is_number_unsigned()) refuse(name, "an integer of 0 or more");
  value.value = json.get<std::uint64_t>();
}

void OptionReader::read(OptionName name, JsonText& value) {
  if (const Json* json = parts_->take(name)) value.text = detail::json_text(*json);
}

void OptionReader::read(OptionName name, std::vector<JsonText>& value) {
  const Json* found = parts_->take(name);
  if (!found) return;
  const Json& json = *found;
  if (!json.is_array()) refuse(name, "an array");
  value.clear();
  for (const auto& item : json) value.push_back({detail::json_text(item)});
}

void OptionReader::read(OptionName name, JsonPart& value) {
  const Json* json = parts_->take(name);
  if (json) value.json_ = std::shared_ptr<const void>(parts_->object, json);
}

void OptionReader::read(OptionName name, std::vector<JsonPart>& value) {
  const Json* json = parts_->take(name);
  if (!json) return;
  if (!json->is_array()) refuse(name, "an array");
  value.assign(json->size(), {});
  for (std::size_t i = 0; i < value.size(); ++i) {
    value[i].json_ = std::shared_ptr<const void>(parts_->object, &(*json)[i]);
  }
}

}  // namespace maskgrad::extend
