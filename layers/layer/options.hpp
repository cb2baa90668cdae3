#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <maskgrad/core/io/json_limits.hpp>
#include <maskgrad/core/random.hpp>

namespace maskgrad::extend {

/// An option as an options struct lists it, once, in the order of its fields:
///   template <class Self, class F>
///   static void each_option(Self& o, F&& f) {
///     f(mg::extend::required("units"), o.units);
///     f("activation", o.activation);
///   }
struct OptionName {
  constexpr OptionName(const char* name_, bool required_ = false)
      : name(name_), required(required_) {}
  std::string_view name;
  bool required;  ///< it has no default
};
constexpr OptionName required(const char* name) {
  return {name, true};
}

/// One integer or several, as an axis or axes; in JSON a number or an array.
struct IntegerList {
  IntegerList(std::int64_t one) : values{one} {}
  IntegerList(std::initializer_list<std::int64_t> several) : values(several) {}
  std::vector<std::int64_t> values;
};

/// The options of a layer that has none but its name.
struct NameOnly {
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("name", o.name);
  }
};

/// A piece of JSON as an option's value, as text.
struct JsonText {
  std::string text = "{}";
};

/// The same as it was parsed, for wrapped layers: what is nested is parsed once, whatever its
/// depth.
class JsonPart {
 public:
  bool defined() const { return json_ != nullptr; }

 private:
  friend class OptionReader;
  friend class OptionWriter;
  std::shared_ptr<const void> json_;
  bool made_ = false;  ///< by a writer, so that another may take it
};

/// Gives options the values of a JSON object; `each_option(options, reader)`, then `finish()`.
/// Real numbers may be written "nan", "inf" and "-inf"; null is an activation that is linear, an
/// option that may be absent, and in a list of integers mg::any; one integer is a list of one.
/// Throws:   OptionError, naming the option, what is there and what was expected; for what is no
///           JSON, or beyond JsonLimits.
class OptionReader {
 public:
  /// `where` names the layer, loss or optimizer in errors.
  OptionReader(std::string_view where, std::string_view json);
  OptionReader(std::string_view where, const JsonPart& json);
  ~OptionReader();
  OptionReader(const OptionReader&) = delete;
  OptionReader& operator=(const OptionReader&) = delete;

  /// Leaves `value` as it is where the object does not hold the name. A type of one's own has a
  /// function `read_option(reader, name, value)` beside it.
  template <class T>
  void operator()(OptionName name, T& value) {
    if constexpr (requires { read(name, value); }) {
      read(name, value);
    } else if constexpr (std::integral<T>) {
      auto wide = static_cast<std::int64_t>(value);
      read(name, wide);
      value = static_cast<T>(wide);
      if (static_cast<std::int64_t>(value) != wide) refuse(name, "a smaller number");
    } else {
      read_option(*this, name, value);
    }
  }
  template <class T>
  void operator()(OptionName name, std::optional<T>& value) {
    if (!has(name)) return;
    value.reset();
    if (!is_null(name)) (*this)(name, value.emplace());
  }

  /// OptionError for a name that no option has, with the nearest, and for one that is missing.
  void finish() const;

  const std::string& where() const { return where_; }
  /// Whether the object holds the name, which then counts as known.
  bool has(OptionName name);
  bool is_null(OptionName name) const;
  /// Throws the OptionError of a value that does not fit.
  [[noreturn]] void refuse(OptionName name, std::string_view expected) const;

 private:
  void read(OptionName name, bool& value);
  void read(OptionName name, std::int64_t& value);
  void read(OptionName name, double& value);
  void read(OptionName name, std::string& value);
  void read(OptionName name, std::vector<std::int64_t>& value);
  void read(OptionName name, IntegerList& value);
  void read(OptionName name, std::vector<std::string>& value);
  void read(OptionName name, Seed& value);
  void read(OptionName name, JsonText& value);
  void read(OptionName name, std::vector<JsonText>& value);
  void read(OptionName name, JsonPart& value);
  void read(OptionName name, std::vector<JsonPart>& value);

  struct Parts;
  std::string where_;
  std::unique_ptr<Parts> parts_;
};

/// Makes a JSON object of options: `each_option(options, writer)`. OptionReader reads it back to
/// the same values. An empty `name`, that of a layer without one of its own, is left out.
class OptionWriter {
 public:
  OptionWriter();
  ~OptionWriter();
  OptionWriter(const OptionWriter&) = delete;
  OptionWriter& operator=(const OptionWriter&) = delete;

  /// A type of one's own has a function `write_option(writer, name, value)` beside it.
  template <class T>
  void operator()(OptionName name, const T& value) {
    if constexpr (requires { write(name, value); }) {
      write(name, value);
    } else if constexpr (std::integral<T>) {
      write(name, static_cast<std::int64_t>(value));
    } else {
      write_option(*this, name, value);
    }
  }
  template <class T>
  void operator()(OptionName name, const std::optional<T>& value) {
    if (value) {
      (*this)(name, *value);
    } else {
      (*this)(name, JsonText{"null"});
    }
  }

  /// Takes what nobody else holds, in place of a copy: nested layers are written once, whatever
  /// their depth.
  void operator()(OptionName name, JsonPart&& value);
  void operator()(OptionName name, std::vector<JsonPart>&& value);

  /// OptionError for text that is no UTF-8, and for what JsonLimits would not let in again.
  std::string json() const;
  /// What was written, as a piece of something larger.
  JsonPart part();

 private:
  void write(OptionName name, bool value);
  void write(OptionName name, std::int64_t value);
  void write(OptionName name, double value);
  void write(OptionName name, const std::string& value);
  void write(OptionName name, const std::vector<std::int64_t>& value);
  void write(OptionName name, const IntegerList& value);
  void write(OptionName name, const std::vector<std::string>& value);
  void write(OptionName name, const Seed& value);
  void write(OptionName name, const JsonText& value);
  void write(OptionName name, const std::vector<JsonText>& value);
  void write(OptionName name, const JsonPart& value);
  void write(OptionName name, const std::vector<JsonPart>& value);

  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Options of a struct from a JSON object; the rest keeps its defaults. See OptionReader.
template <class Options>
Options read_options(OptionReader& reader) {
  Options options{};
  Options::each_option(options, reader);
  reader.finish();
  return options;
}
template <class Options, class J>
Options read_options(std::string_view where, const J& json) {
  OptionReader reader(where, json);
  return read_options<Options>(reader);
}

}  // namespace maskgrad::extend

namespace maskgrad::detail {

/// `each_option(options, Taking{writer})` writes options and takes their JsonParts.
struct Taking {
  extend::OptionWriter& writer;
  template <class T>
  void operator()(extend::OptionName name, T& value) const {
    writer(name, std::move(value));
  }
};

}  // namespace maskgrad::detail
