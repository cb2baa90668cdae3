#include <maskgrad/core/io/npy.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/core/io/bytes.hpp>
#include <maskgrad/core/io/npy_format.hpp>

namespace maskgrad {
namespace detail {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

// How many bytes the length of the header takes, by the format's version.
std::size_t length_bytes(ByteStream& in) {
  std::array<std::byte, 8> front;
  const auto begin = in.position();
  in.read(front);
  if (!as_text(front).starts_with(magic)) {
    in.place().refuse(begin, "the first bytes are {}; expected '\\x93NUMPY', as in every .npy",
                      in_quotes(as_text(front).substr(0, magic.size())));
  }
  const int major = static_cast<int>(front[6]), minor = static_cast<int>(front[7]);
  if (major < 1 || major > 3 || minor != 0) {
    in.place().refuse(begin + 6,
                      "the format is {}.{}; expected 1.0, 2.0 or 3.0; write it again with "
                      "numpy.save",
                      major, minor);
  }
  return major == 1 ? 2 : 4;
}

// Reads magic, version and header; gives `parse` the dictionary.
template <class F>
auto parse_front(ByteStream& in, F parse) {
  std::array<std::byte, 4> length_field;
  const std::span<std::byte> field(length_field.data(), length_bytes(in));
  const auto at = in.position();
  in.read(field);
  const auto length = little_endian(field);
  if (length > max_npy_header) {
    in.place().refuse(at,
                      "the header is to have {} bytes; expected at most {}, a plain array needs "
                      "under 400; write it again with numpy.save",
                      length, max_npy_header);
  }
  if (length > in.left()) {
    in.place().refuse(at,
                      "the header is to have {} bytes, but {} follow; the file was cut short, "
                      "make it again",
                      length, in.left());
  }
  std::vector<std::byte> header(length);
  const auto offset = in.position();
  in.read(header);
  return parse(as_text(header), offset, in.place());
}

}  // namespace

Layout read_npy_layout(ByteStream& in) {
  return parse_front(in, parse_npy_header);
}

TextLayout read_npy_text_layout(ByteStream& in) {
  return parse_front(in, parse_npy_text_header);
}

void check_npy_size(const Layout& layout, const ByteStream& in) {
  const auto bytes = byte_count(layout);
  if (!bytes) {
    in.place().refuse(in.position(),
                      "the shape [{}] is too large to count; expected fewer than 2^62 "
                      "bytes; write it again with numpy.save",
                      fmt::join(layout.shape, ", "));
  }
  if (*bytes != in.left()) {
    in.place().refuse(in.position(),
                      "{} bytes follow the header; expected {} for the shape [{}] of "
                      "{}-byte elements; the file was cut short or has more than one array in it",
                      in.left(), *bytes, fmt::join(layout.shape, ", "), size_of(layout.type));
  }
}

Array read_npy(ByteStream& in) {
  auto layout = read_npy_layout(in);
  check_npy_size(layout, in);
  auto array = decode(std::move(layout), in);
  in.finish();
  return array;
}

std::string npy_header(const Array& array) {
  const std::string_view descr = array.dtype == DType::f32   ? "<f4"
                                 : array.dtype == DType::f64 ? "<f8"
                                 : array.dtype == DType::i64 ? "<i8"
                                                             : "|b1";
  auto dictionary =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
                  fmt::join(array.shape, ", "), array.shape.size() == 1 ? "," : "");
  constexpr std::size_t front = 10;
  const auto used = front + dictionary.size() + 1;
  dictionary.append((64 - used % 64) % 64, ' ').push_back('\n');
  const auto length = dictionary.size();
  const char field[] = {static_cast<char>(length & 255), static_cast<char>(length >> 8)};
  return std::string(magic) + std::string("\x01\x00", 2) + std::string(field, 2) + dictionary;
}

}  // namespace detail

namespace {

Array read_whole(const detail::ByteSource& source) {
  detail::SourceStream in(source, 0, source.size());
  return detail::read_npy(in);
}

}  // namespace

Array read_npy(const std::filesystem::path& path) {
  return read_whole(detail::ByteSource(path, "read_npy"));
}

Array parse_npy(std::span<const std::byte> bytes, std::string_view name) {
  return read_whole(detail::ByteSource(bytes, name, "parse_npy"));
}

void write_npy(const std::filesystem::path& path, const Array& array) {
  detail::check_array("write_npy", path.filename().string(), array);
  const auto header = detail::npy_header(array);
  AtomicFile file(path, "write_npy");
  file.write(detail::as_bytes(header));
  file.write(array.bytes);
  file.commit();
}

std::vector<std::byte> npy_bytes(const Array& array) {
  detail::check_array("npy_bytes", "given", array);
  const auto header = detail::npy_header(array);
  const auto front = detail::as_bytes(header);
  std::vector<std::byte> made(front.begin(), front.end());
  made.insert(made.end(), array.bytes.begin(), array.bytes.end());
  return made;
}

}  // namespace maskgrad
