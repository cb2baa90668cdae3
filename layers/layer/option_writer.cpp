#include <utility>

#include <maskgrad/core/io/json.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad::extend {

struct OptionWriter::Parts {
  detail::Json object = detail::Json::object();
  detail::Json& at(OptionName name) { return object[std::string(name.name)]; }
};

OptionWriter::OptionWriter() : parts_(std::make_unique<Parts>()) {}
OptionWriter::~OptionWriter() = default;

std::string OptionWriter::json() const {
  const auto trouble = detail::beyond_limits(parts_->object);
  if (!trouble.empty()) {
    fail<OptionError>("describe", "the JSON could not be read again: {}", trouble);
  }
  try {
    return detail::strict_json_text(parts_->object);
  } catch (const detail::Json::exception& error) {
    fail<OptionError>("describe", "an option is text that is no UTF-8 ({})", error.what());
  }
}

JsonPart OptionWriter::part() {
  JsonPart made;
  made.json_ =
      std::make_shared<detail::Json>(std::exchange(parts_->object, detail::Json::object()));
  made.made_ = true;
  return made;
}

void OptionWriter::write(OptionName name, bool value) {
  parts_->at(name) = value;
}
void OptionWriter::write(OptionName name, std::int64_t value) {
  parts_->at(name) = value;
}
void OptionWriter::write(OptionName name, double value) {
  if (std::isfinite(value)) {
    parts_->at(name) = value;
  } else {
    parts_->at(name) = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
}
void OptionWriter::write(OptionName name, const std::string& value) {
  if (name.name != "name" || !value.empty()) parts_->at(name) = value;
}
void OptionWriter::write(OptionName name, const std::vector<std::int64_t>& value) {
  parts_->at(name) = value;
}
void OptionWriter::write(OptionName name, const IntegerList& value) {
  if (value.values.size() == 1) return write(name, value.values[0]);
  write(name, value.values);
}
void OptionWriter::write(OptionName name, const std::vector<std::string>& value) {
  parts_->at(name) = value;
}
void OptionWriter::write(OptionName name, const Seed& value) {
  parts_->at(name) = value.value;
}
void OptionWriter::write(OptionName name, const JsonText& value) {
  auto [json, trouble] = detail::parse_json(value.text);
  if (!trouble.empty()) {
    fail<OptionError>("describe", "the option .{} is no JSON that can be read: {}", name.name,
                      trouble);
  }
  parts_->at(name) = std::move(json);
}
void OptionWriter::write(OptionName name, const std::vector<JsonText>& value) {
  detail::Json array = detail::Json::array();
  for (const auto& item : value) {
    write(name, item);
    array.push_back(std::move(parts_->at(name)));
  }
  parts_->at(name) = std::move(array);
}
void OptionWriter::write(OptionName name, const JsonPart& value) {
  parts_->at(name) =
      value.json_ ? *static_cast<const detail::Json*>(value.json_.get()) : detail::Json::object();
}
void OptionWriter::write(OptionName name, const std::vector<JsonPart>& value) {
  (*this)(name, std::vector<JsonPart>(value));
}
void OptionWriter::operator()(OptionName name, JsonPart&& value) {
  if (!value.made_ || value.json_.use_count() != 1) return write(name, value);
  const auto json = std::const_pointer_cast<void>(std::exchange(value.json_, nullptr));
  parts_->at(name) = std::move(*static_cast<detail::Json*>(json.get()));
}
void OptionWriter::operator()(OptionName name, std::vector<JsonPart>&& value) {
  detail::Json array = detail::Json::array();
  for (auto& item : value) {
    (*this)(name, std::move(item));
    array.push_back(std::move(parts_->at(name)));
  }
  parts_->at(name) = std::move(array);
}

}  // namespace maskgrad::extend
