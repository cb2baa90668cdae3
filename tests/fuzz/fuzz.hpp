#pragma once

#include <fmt/core.h>
#include <sanitizer/allocator_interface.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace fuzz {

using Bytes = std::vector<std::byte>;

/// The factor and the constant that the readers state in their headers.
inline constexpr std::size_t factor = 32, constant = std::size_t{1} << 20;

/// Bytes that live now and their peak since `start`, counted by AddressSanitizer's hooks.
struct Meter {
  static inline std::int64_t live = 0, peak = 0;

  static void install() {
    static const int installed = __sanitizer_install_malloc_and_free_hooks(
        [](const volatile void*, std::size_t size) {
          live += static_cast<std::int64_t>(size);
          peak = std::max(peak, live);
        },
        [](const volatile void* at) {
          if (at)
            live -= static_cast<std::int64_t>(
                __sanitizer_get_allocated_size(const_cast<const void*>(at)));
        });
    if (installed == 0) std::abort();
  }
  static void start() {
    install();
    live = peak = 0;
  }
  /// Aborts where more than the stated multiple of `size` was allocated since `start`.
  static void check(std::size_t size) {
    if (peak <= static_cast<std::int64_t>(factor * size + constant)) return;
    fmt::print(stderr, "{} bytes allocated for an input that counts as {}\n", peak, size);
    std::abort();
  }
};

inline void require(bool held, const char* law) {
  if (held) return;
  fmt::print(stderr, "does not hold: {}\n", law);
  std::abort();
}

inline std::span<const std::byte> span_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

/// Mutates a stretch, which may grow up to `most` bytes.
inline Bytes mutated(std::span<const std::byte> from, std::size_t most) {
  Bytes made(from.begin(), from.end());
  const auto size = std::min(made.size(), most);
  made.resize(most);
  made.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(made.data()), size, most));
  return made;
}

/// Puts `made` in place of the input if it fits; the size of the input from then on.
inline std::size_t replace(std::uint8_t* data, std::size_t size, std::size_t most,
                           const Bytes& made) {
  if (made.empty() || made.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::copy(made.begin(), made.end(), reinterpret_cast<std::byte*>(data));
  return made.size();
}

/// Mutates the header that lies behind a length field and puts its new length into the field, so
/// that mutations reach what comes after the check of the length.
inline std::size_t mutate_header(std::uint8_t* data, std::size_t size, std::size_t most,
                                 std::size_t field, std::size_t width) {
  const auto begin = field + width;
  if (size < begin) return LLVMFuzzerMutate(data, size, most);
  std::size_t length = 0;
  for (std::size_t i = width; i-- > 0;) length = length << 8 | data[field + i];
  const auto all = span_of(data, size);
  length = std::min(length, size - begin);
  const auto header = mutated(all.subspan(begin, length), 1024);
  Bytes made(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(begin));
  for (std::size_t i = 0; i < width; ++i) {
    made[field + i] = i < 8 ? static_cast<std::byte>(header.size() >> (8 * i)) : std::byte{0};
  }
  made.insert(made.end(), header.begin(), header.end());
  const auto rest = all.subspan(begin + length);
  made.insert(made.end(), rest.begin(), rest.end());
  return replace(data, size, most, made);
}

}  // namespace fuzz
