#pragma once

#include <string>
#include <vector>

#include <maskgrad/core/io/byte_source.hpp>
#include <maskgrad/core/io/bytes.hpp>

namespace maskgrad::detail {

/// An address that stands for none.
inline constexpr std::uint64_t hdf5_nowhere = ~std::uint64_t{0};

/// Bytes of an HDF5 file, read from front to back; every step is checked against their end.
class Hdf5Cursor {
 public:
  /// `size` bytes from `at` on; FileError where the file ends before.
  Hdf5Cursor(const ByteSource& source, std::uint64_t at, std::uint64_t size)
      : place_(&source.place()), base_(at) {
    if (at > source.size() || size > source.size() - at) {
      source.place().refuse(at, "{} bytes are to be here, in a file of {}; {}", size, source.size(),
                            damaged);
    }
    bytes_.resize(static_cast<std::size_t>(size));
    source.read_at(at, bytes_);
  }
  Hdf5Cursor(const Place& place, std::uint64_t at, std::span<const std::byte> bytes)
      : place_(&place), base_(at), bytes_(bytes.begin(), bytes.end()) {}

  std::uint64_t number(std::size_t width) { return little_endian(take(width)); }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }

  std::span<const std::byte> take(std::uint64_t size) {
    if (size > left()) refuse("{} bytes are needed, but {} are left", size, left());
    const auto from = std::span(bytes_).subspan(at_, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
    return from;
  }
  void skip(std::uint64_t size) { take(size); }
  void expect(std::string_view signature) {
    if (as_text(take(signature.size())) != signature) refuse("expected '{}' here", signature);
  }
  /// Text up to a NUL or the end of `field`.
  static std::string text(std::span<const std::byte> field) {
    const auto all = as_text(field);
    return std::string(all.substr(0, all.find('\0')));
  }

  std::uint64_t left() const { return bytes_.size() - at_; }
  std::uint64_t position() const { return base_ + at_; }
  std::uint64_t inside() const { return at_; }
  const Place& place() const { return *place_; }

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) const {
    place_->refuse(position(), "{}; {}", detail::format(text, fmt::make_format_args(args...)),
                   damaged);
  }

  static constexpr std::string_view damaged =
      "the file is damaged or of a kind that h5py does not write; save it again";

 private:
  const Place* place_;
  std::uint64_t base_;
  std::vector<std::byte> bytes_;
  std::size_t at_ = 0;
};

}  // namespace maskgrad::detail
