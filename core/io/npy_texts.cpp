#include <maskgrad/core/io/file_kinds.hpp>
#include <maskgrad/core/io/npy_format.hpp>
#include <maskgrad/core/io/room.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::uint64_t point_size = 4;

void add_utf8(std::string& to, std::uint32_t point) {
  const auto tail = [&](int shift) { to += static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) {
    to += static_cast<char>(point);
  } else if (point < 0x800) {
    to += static_cast<char>(0xC0 | point >> 6);
    tail(0);
  } else if (point < 0x10000) {
    to += static_cast<char>(0xE0 | point >> 12);
    tail(6), tail(0);
  } else {
    to += static_cast<char>(0xF0 | point >> 18);
    tail(12), tail(6), tail(0);
  }
}

void check_size(const TextLayout& layout, const ByteStream& in) {
  const auto left = in.left() / point_size;
  const bool counts =
      in.left() % point_size == 0 && (layout.width == 0 ? left == 0 : left % layout.width == 0);
  // Texts of no width take no bytes: any number of them would fit.
  const bool fits = layout.width == 0 ? layout.count <= 1 : left / layout.width == layout.count;
  if (counts && fits) return;
  in.place().refuse(in.position(),
                    "{} bytes follow the header; expected {} texts of {} code points of 4 bytes; "
                    "the file was cut short or is no honest one",
                    in.left(), layout.count, layout.width);
}

std::string read_text(ByteStream& in, const TextLayout& layout) {
  const auto at = in.position();
  std::vector<std::byte> bytes(layout.width * point_size);
  in.read(bytes);
  std::string text;
  std::size_t zeros = 0;  // at the end they are no part of the text
  for (std::size_t i = 0; i < bytes.size(); i += point_size) {
    const auto point = raw_at<std::uint32_t>(bytes.data() + i, layout.big_endian);
    if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
      in.place().refuse(at + i, "a text holds {:#x}, which is no code point; write it again",
                        point);
    }
    if (point == 0) {
      ++zeros;
      continue;
    }
    text.append(zeros, '\0');
    zeros = 0;
    add_utf8(text, point);
  }
  return text;
}

}  // namespace

std::vector<std::string> read_npy_texts(ByteStream& in) {
  const auto layout = read_npy_text_layout(in);
  check_size(layout, in);
  std::vector<std::string> texts;
  const auto size = in.left() + layout.count * sizeof(std::string);
  with_room(in.place(), size, [&] { texts.reserve(layout.count); });
  for (std::uint64_t i = 0; i < layout.count; ++i) texts.push_back(read_text(in, layout));
  in.finish();
  return texts;
}

}  // namespace maskgrad::detail
