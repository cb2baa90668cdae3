#include <maskgrad/core/io/safetensors_header.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include <maskgrad/core/io/bytes.hpp>

namespace maskgrad::detail {
namespace {

using json = nlohmann::json;

constexpr std::string_view metadata_key = "__metadata__";

struct TypeName {
  std::string_view name;
  FileType type;
};

constexpr TypeName type_names[] = {
    {"F64", FileType::f64},      {"F32", FileType::f32}, {"F16", FileType::f16},
    {"BF16", FileType::bf16},    {"I64", FileType::i64}, {"I32", FileType::i32},
    {"I16", FileType::i16},      {"I8", FileType::i8},   {"U64", FileType::u64},
    {"U32", FileType::u32},      {"U16", FileType::u16}, {"U8", FileType::u8},
    {"BOOL", FileType::boolean},
};

// Lets the parser say how far it is.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** seen) : at_(at), seen_(seen) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *seen_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    return std::exchange(*this, CountingIterator(at_ + 1, seen_));
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** seen_;
};

// Takes the header in while it is parsed, so that keys that come twice are seen, nothing is kept
// that is not wanted, and nesting deeper than the format's is refused where it begins.
class HeaderHandler {
 public:
  HeaderHandler(const char* begin, std::uint64_t offset, const Place& place)
      : seen(begin), begin_(begin), offset_(offset), place_(place) {}

  bool null() { return wrong("null"); }
  bool boolean(bool) { return wrong("true or false"); }
  bool number_integer(std::int64_t) { return wrong("a negative number"); }
  bool number_unsigned(std::uint64_t value);
  bool number_float(double, const std::string&) {
    return wrong("a number that is no 64-bit integer");
  }
  bool string(std::string& text);
  bool binary(json::binary_t&) { return wrong("bytes"); }
  bool start_object(std::size_t);
  bool key(std::string& text);
  bool end_object();
  bool start_array(std::size_t);
  bool end_array();
  bool parse_error(std::size_t, const std::string&, const json::exception& error) {
    place_.refuse(here(), "the header is no JSON ({}); write the file again",
                  std::string_view(error.what()).substr(0, 200));
  }

  SafetensorsHeader finish();

  const char* seen;

 private:
  enum class In {
    outside,
    header,
    metadata,
    entry,
    dtype,
    shape,
    offsets,
    shape_list,
    offset_list
  };

  std::uint64_t here() const { return offset_ + static_cast<std::uint64_t>(seen - begin_); }
  std::string_view expected() const;
  // Which array the trouble is with, where it is with one.
  std::string subject() const {
    const bool none = names_.empty() || in_ < In::header || in_ == In::metadata;
    return none || metadata_is_next_ ? "" : ", array " + in_quotes(names_.back()) + ",";
  }
  bool wrong(std::string_view found) const {
    place_.refuse(here(), "the header{} has {} here; expected {}; write the file again", subject(),
                  found, expected());
  }
  void field(std::string_view name, bool& given, In next);
  void type(std::string_view name);

  const char* begin_;
  std::uint64_t offset_;
  const Place& place_;
  In in_ = In::outside;
  std::vector<std::string> names_;
  std::vector<SafetensorsEntry> entries_;
  Metadata metadata_;
  std::string metadata_name_;
  std::vector<std::uint64_t> bounds_;
  bool has_metadata_ = false, metadata_is_next_ = false;
  bool has_type_ = false, has_shape_ = false, has_bounds_ = false;
};

std::string_view HeaderHandler::expected() const {
  switch (in_) {
    case In::metadata:
      return "a text";
    case In::dtype:
      return "a type, as \"F32\"";
    case In::shape:
    case In::shape_list:
      return "a shape, as [2, 3]";
    case In::offsets:
    case In::offset_list:
      return "two offsets, as [0, 24]";
    default:
      return "an object in braces";
  }
}

bool HeaderHandler::start_object(std::size_t) {
  if (in_ == In::outside) {
    in_ = In::header;
  } else if (in_ == In::header && std::exchange(metadata_is_next_, false)) {
    in_ = In::metadata;
  } else if (in_ == In::header) {
    in_ = In::entry;
    entries_.emplace_back();
    has_type_ = has_shape_ = has_bounds_ = false;
  } else {
    return wrong("an object");
  }
  return true;
}

bool HeaderHandler::key(std::string& text) {
  if (in_ == In::header && text == metadata_key) {
    if (std::exchange(has_metadata_, true)) {
      place_.refuse(here(), "the header has '__metadata__' twice; expected it once");
    }
    metadata_is_next_ = true;
  } else if (in_ == In::header) {
    if (text.find('\0') != text.npos) {
      place_.refuse(here(), "the name {} holds a NUL; expected a text; write the file again",
                    in_quotes(text));
    }
    names_.push_back(std::move(text));
  } else if (in_ == In::metadata) {
    metadata_name_ = std::move(text);
  } else if (text == "dtype") {
    field(text, has_type_, In::dtype);
  } else if (text == "shape") {
    field(text, has_shape_, In::shape);
  } else if (text == "data_offsets") {
    field(text, has_bounds_, In::offsets);
  } else {
    place_.refuse(here(),
                  "the array {} has the field {}; expected dtype, shape and data_offsets; "
                  "write the file again",
                  in_quotes(names_.back()), in_quotes(text));
  }
  return true;
}

void HeaderHandler::field(std::string_view name, bool& given, In next) {
  if (std::exchange(given, true)) {
    place_.refuse(here(), "the array {} has {} twice; expected it once; write the file again",
                  in_quotes(names_.back()), name);
  }
  in_ = next;
}

bool HeaderHandler::string(std::string& text) {
  if (in_ == In::metadata) {
    if (!metadata_.emplace(std::move(metadata_name_), std::move(text)).second) {
      place_.refuse(here(),
                    "'__metadata__' has a key twice; expected it once; write the file again");
    }
    return true;
  }
  if (in_ != In::dtype) return wrong("a text");
  type(text);
  in_ = In::entry;
  return true;
}

void HeaderHandler::type(std::string_view name) {
  const auto* found = std::find_if(std::begin(type_names), std::end(type_names),
                                   [&](const TypeName& known) { return known.name == name; });
  if (found == std::end(type_names)) {
    place_.refuse(here(),
                  "the array {} is of type {}; expected F64 F32 F16 BF16 I64 I32 I16 I8 "
                  "U64 U32 U16 U8 or BOOL; convert it before saving",
                  in_quotes(names_.back()), in_quotes(name));
  }
  entries_.back().layout.type = found->type;
}

bool HeaderHandler::start_array(std::size_t) {
  if (in_ == In::shape) {
    in_ = In::shape_list;
  } else if (in_ == In::offsets) {
    in_ = In::offset_list;
    bounds_.clear();
  } else {
    return wrong("a list");
  }
  return true;
}

bool HeaderHandler::number_unsigned(std::uint64_t value) {
  if (in_ == In::shape_list) {
    auto& shape = entries_.back().layout.shape;
    if (shape.size() == max_axes || value > INT64_MAX) {
      place_.refuse(here(),
                    "the shape of {} has the extent {} on axis {}; expected at most 2^63 - 1 "
                    "and {} axes",
                    in_quotes(names_.back()), value, shape.size(), max_axes);
    }
    shape.push_back(static_cast<std::int64_t>(value));
    return true;
  }
  if (in_ != In::offset_list || bounds_.size() == 2) return wrong("a number");
  bounds_.push_back(value);
  return true;
}

bool HeaderHandler::end_array() {
  if (in_ == In::offset_list) {
    if (bounds_.size() != 2) return wrong("fewer");
    entries_.back().begin = bounds_[0];
    entries_.back().end = bounds_[1];
  }
  in_ = In::entry;
  return true;
}

bool HeaderHandler::end_object() {
  if (in_ == In::entry && !(has_type_ && has_shape_ && has_bounds_)) {
    place_.refuse(here(),
                  "the array {} lacks one of dtype, shape and data_offsets; write the file "
                  "again",
                  in_quotes(names_.back()));
  }
  in_ = in_ == In::header ? In::outside : In::header;
  return true;
}

SafetensorsHeader HeaderHandler::finish() {
  return {std::move(names_), std::move(entries_), std::move(metadata_)};
}

}  // namespace

SafetensorsHeader parse_safetensors_json(std::span<const std::byte> text, std::uint64_t offset,
                                         const Place& place) {
  const auto chars = as_text(text);
  // Control characters are no JSON; looked for first, they cannot swell the parser's message.
  const auto control = chars.find_first_of(std::string_view(
      "\0\1\2\3\4\5\6\7\10\13\14\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37", 29));
  if (chars.empty() || chars.front() != '{' || control != chars.npos) {
    place.refuse(
        offset + (control == chars.npos ? 0 : control),
        "the header {}; expected JSON that begins with an open brace; write the file again",
        control != chars.npos ? "has a control character" : "does not begin like JSON");
  }
  HeaderHandler handler(chars.data(), offset, place);
  const CountingIterator first(chars.data(), &handler.seen);
  const CountingIterator last(chars.data() + chars.size(), &handler.seen);
  json::sax_parse(first, last, &handler);
  return handler.finish();
}

}  // namespace maskgrad::detail
