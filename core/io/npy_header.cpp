#include <maskgrad/core/io/npy_format.hpp>

#include <algorithm>
#include <charconv>

namespace maskgrad::detail {
namespace {

// The Python dictionary of a header, and no more of Python than such a one needs.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::uint64_t offset, const Place& place, bool texts)
      : text_(text), offset_(offset), place_(place), texts_(texts) {}

  Layout parse() {
    expect('{');
    while (!take('}')) {
      entry();
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    if (!at_end()) wrong("nothing after the dictionary");
    if (!has_descr_ || !has_order_ || !has_shape_) {
      place_.refuse(offset_,
                    "the header lacks one of 'descr', 'fortran_order' and 'shape'; write "
                    "the file again with numpy.save");
    }
    return std::move(layout_);
  }

  std::uint64_t text_width() const { return text_width_; }

 private:
  void entry() {
    const auto key = string();
    expect(':');
    if (key == "descr") {
      once(has_descr_, key);
      type();
    } else if (key == "fortran_order") {
      once(has_order_, key);
      layout_.fortran = truth();
    } else if (key == "shape") {
      once(has_shape_, key);
      shape();
    } else {
      place_.refuse(here(),
                    "the header has the key {}; expected 'descr', 'fortran_order' and "
                    "'shape'; write the file again with numpy.save",
                    in_quotes(key));
    }
  }

  void once(bool& seen, std::string_view key) {
    if (seen) place_.refuse(here(), "the header has {} twice; expected it once", in_quotes(key));
    seen = true;
  }

  void type();
  bool text_type(std::string_view code);
  void shape();
  bool truth();
  std::int64_t extent();
  std::string_view string();

  bool at_end() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
    return at_ == text_.size();
  }
  bool take(char wanted) {
    if (at_end() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (at_end() || !text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) wrong(std::string("'") + wanted + "'");
  }
  std::uint64_t here() const { return offset_ + at_; }

  [[noreturn]] void wrong(std::string_view expected) {
    const bool end = at_end();
    place_.refuse(here(), "the header has {}; expected {}; write the file again with numpy.save",
                  end ? "its end" : in_quotes(text_.substr(at_, 12)), expected);
  }

  std::string_view text_;
  std::uint64_t offset_;
  const Place& place_;
  std::size_t at_ = 0;
  bool texts_;
  std::uint64_t text_width_ = 0;
  Layout layout_;
  bool has_descr_ = false, has_order_ = false, has_shape_ = false;
};

std::string_view HeaderParser::string() {
  const char quote = take('\'') ? '\'' : take('"') ? '"' : '\0';
  if (quote == '\0') wrong("a string");
  const auto end = text_.find(quote, at_);
  if (end == text_.npos) wrong("the end of a string");
  const auto found = text_.substr(at_, end - at_);
  if (found.find('\\') != found.npos) wrong("a string without a backslash");
  at_ = end + 1;
  return found;
}

bool HeaderParser::truth() {
  if (take_word("True")) return true;
  if (!take_word("False")) wrong("True or False");
  return false;
}

std::int64_t HeaderParser::extent() {
  if (at_end()) wrong("a size");
  std::int64_t value = 0;
  const char* first = text_.data() + at_;
  const auto [last, error] = std::from_chars(first, text_.data() + text_.size(), value);
  if (error == std::errc::result_out_of_range || (error == std::errc() && value < 0)) {
    wrong("a size from 0 to 9223372036854775807");
  }
  if (error != std::errc()) wrong("a size");
  at_ += static_cast<std::size_t>(last - first);
  if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // as Python 2 wrote them
  return value;
}

void HeaderParser::shape() {
  expect('(');
  while (!take(')')) {
    if (layout_.shape.size() == max_axes) {
      place_.refuse(here(), "the shape has more than {} axes; reshape the array before saving",
                    max_axes);
    }
    layout_.shape.push_back(extent());
    if (take(',')) continue;
    // (3) is a number in Python, not a tuple.
    if (layout_.shape.size() == 1) wrong("','");
    expect(')');
    break;
  }
}

struct Kind {
  std::string_view code;
  FileType type;
};

constexpr Kind kinds[] = {
    {"f2", FileType::f16}, {"f4", FileType::f32}, {"f8", FileType::f64}, {"i1", FileType::i8},
    {"i2", FileType::i16}, {"i4", FileType::i32}, {"i8", FileType::i64}, {"u1", FileType::u8},
    {"u2", FileType::u16}, {"u4", FileType::u32}, {"u8", FileType::u64}, {"b1", FileType::boolean},
};

std::string_view refused_kind(std::string_view code) {
  if (code.empty()) return "no type at all";
  switch (code.front()) {
    case 'O':
      return "Python objects, which only running Python can read";
    case 'c':
      return "complex numbers";
    case 'f':
      return "floats of a width that does not convert without loss";
    case 'U':
    case 'S':
      return "texts";
    case 'M':
    case 'm':
      return "dates or durations";
    case 'V':
      return "raw bytes";
    default:
      return "a type that is not known";
  }
}

// U and a number of code points.
bool HeaderParser::text_type(std::string_view code) {
  if (!code.starts_with('U')) return false;
  const char* end = code.data() + code.size();
  const auto [last, error] = std::from_chars(code.data() + 1, end, text_width_);
  return error == std::errc() && last == end;
}

void HeaderParser::type() {
  if (take('[')) {
    place_.refuse(here(),
                  "the elements are records of several fields; expected one real, integer "
                  "or bool type; save each field on its own");
  }
  const auto at = here();
  const auto found = string();
  const char order = found.empty() ? '\0' : found.front();
  const bool has_order = order == '<' || order == '>' || order == '|';
  const auto code = has_order ? found.substr(1) : found;
  if (texts_) {
    if (has_order && order != '|' && text_type(code)) {
      layout_.big_endian = order == '>';
      return;
    }
    place_.refuse(at,
                  "the element type is {}; expected texts, as '<U5'; write them with numpy.save",
                  in_quotes(found));
  }
  for (const auto& kind : kinds) {
    // A byte order is needed where there is more than one byte, and only there is it of use.
    if (kind.code != code || !has_order || (order == '|' && size_of(kind.type) > 1)) continue;
    layout_.type = kind.type;
    layout_.big_endian = order == '>' && size_of(kind.type) > 1;
    return;
  }
  place_.refuse(at,
                "the element type {} is {}; expected one of b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 "
                "with < or > before it; convert it with astype before saving",
                in_quotes(found), has_order ? refused_kind(code) : "without a byte order");
}

}  // namespace

Layout parse_npy_header(std::string_view text, std::uint64_t offset, const Place& place) {
  return HeaderParser(text, offset, place, false).parse();
}

TextLayout parse_npy_text_header(std::string_view text, std::uint64_t offset, const Place& place) {
  HeaderParser parser(text, offset, place, true);
  const auto layout = parser.parse();
  if (layout.shape.size() != 1) {
    place.refuse(offset, "the texts have {} axes; expected one, a list; reshape them before saving",
                 layout.shape.size());
  }
  return {static_cast<std::uint64_t>(layout.shape[0]), parser.text_width(), layout.big_endian};
}

}  // namespace maskgrad::detail
