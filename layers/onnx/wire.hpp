#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// The wire format of protobuf, as far as ONNX files use it: fields of a number and a value.
namespace maskgrad::onnx {

class WireWriter {
 public:
  void integer(int field, std::int64_t value);
  void text(int field, std::string_view value);
  void real(int field, float value);
  /// A message inside of this one.
  void message(int field, const WireWriter& value) { text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  void tag(int field, int type) {
    varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(type));
  }

  std::string bytes_;
};

struct WireField {
  enum Type { as_varint = 0, as_fixed64 = 1, as_bytes = 2, as_fixed32 = 5 };
  std::uint64_t number = 0;
  int type = 0;
  std::uint64_t value = 0;      ///< of numbers
  std::string_view bytes = {};  ///< as they stand, but of varints

  std::int64_t integer() const { return static_cast<std::int64_t>(value); }
  float real() const;
  std::string text() const { return std::string(bytes); }
};

/// Reads the fields of one message in turn. What it gives points into the message's bytes.
/// FileError, which names the file `what`, where they end inside of a field.
class WireReader {
 public:
  WireReader(std::string_view bytes, std::string_view what) : bytes_(bytes), what_(what) {}
  /// False at the end.
  bool next(WireField& field);
  /// The numbers of a list, in either of its two spellings: one value, or packed in bytes.
  template <class F>
  void integers(const WireField& field, F&& f) {
    if (field.type != WireField::as_bytes) return f(field.integer());
    WireReader packed(field.bytes, what_);
    while (!packed.bytes_.empty()) f(static_cast<std::int64_t>(packed.varint()));
  }

 private:
  std::uint64_t varint();
  std::string_view take(std::uint64_t count);
  [[noreturn]] void refuse(std::string_view why) const;

  std::string_view bytes_, what_;
};

}  // namespace maskgrad::onnx
