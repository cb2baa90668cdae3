#include <maskgrad/layers/onnx/wire.hpp>

#include <bit>
#include <cstring>

#include <maskgrad/core/error.hpp>

namespace maskgrad::onnx {

void WireWriter::varint(std::uint64_t value) {
  for (; value >= 128; value >>= 7) bytes_ += static_cast<char>((value & 127) | 128);
  bytes_ += static_cast<char>(value);
}
void WireWriter::integer(int field, std::int64_t value) {
  tag(field, WireField::as_varint);
  varint(static_cast<std::uint64_t>(value));
}
void WireWriter::text(int field, std::string_view value) {
  tag(field, WireField::as_bytes);
  varint(value.size());
  bytes_ += value;
}
void WireWriter::real(int field, float value) {
  tag(field, WireField::as_fixed32);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (int i = 0; i < 4; ++i) bytes_ += static_cast<char>(bits >> (8 * i));
}

float WireField::real() const {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value));
}

void WireReader::refuse(std::string_view why) const {
  fail<FileError>("load_onnx", "{}: {}; it is no ONNX model, or a damaged one", what_, why);
}

std::string_view WireReader::take(std::uint64_t count) {
  if (count > bytes_.size()) refuse("a field reaches behind the end of its message");
  const auto taken = bytes_.substr(0, count);
  bytes_.remove_prefix(count);
  return taken;
}

std::uint64_t WireReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(take(1)[0]);
    value |= static_cast<std::uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
  refuse("a number has more than ten bytes");
}

bool WireReader::next(WireField& field) {
  if (bytes_.empty()) return false;
  const auto tag = varint();
  field = {tag >> 3, static_cast<int>(tag & 7), 0, {}};
  switch (field.type) {
    case WireField::as_varint:
      field.value = varint();
      return true;
    case WireField::as_bytes:
      field.bytes = take(varint());
      return true;
    case WireField::as_fixed64:
      field.bytes = take(8);
      break;
    case WireField::as_fixed32:
      field.bytes = take(4);
      break;
    default:
      refuse("a field is of an unknown type");
  }
  for (std::size_t i = 0; i < field.bytes.size(); ++i) {
    field.value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(field.bytes[i])) << (8 * i);
  }
  return true;
}

}  // namespace maskgrad::onnx
