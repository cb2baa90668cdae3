#include <maskgrad/core/checked.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/core/memory.hpp>
#include <maskgrad/core/shape.hpp>
#include <maskgrad/core/system_memory.hpp>

namespace maskgrad::checked {
namespace {

using Sizes = std::initializer_list<std::int64_t>;

[[noreturn]] void refuse(std::string_view where, std::string_view what, Sizes sizes,
                         std::string_view sign) {
  const auto wrong = std::find_if(sizes.begin(), sizes.end(), [](auto n) { return n < 0; });
  if (wrong != sizes.end()) {
    fail<ShapeError>(where, "{}, {}, has the size {}; expected 0 or more", what,
                     fmt::join(sizes, sign), *wrong);
  }
  fail<ShapeError>(where, "{}, {}, is more than can be counted; expected at most {}", what,
                   fmt::join(sizes, sign), most + 0);
}

bool has_any(Sizes sizes) {
  return std::find(sizes.begin(), sizes.end(), any) != sizes.end();
}

}  // namespace

std::int64_t product(std::string_view where, std::string_view what, Sizes factors) {
  std::int64_t result = 1;
  for (auto factor : factors) {
    if (factor < 0 || (factor > 0 && result > most / factor)) refuse(where, what, factors, " * ");
    result *= factor;
  }
  return result;
}

std::int64_t sum(std::string_view where, std::string_view what, Sizes parts) {
  std::int64_t result = 0;
  for (auto part : parts) {
    if (part < 0 || part > most - result) refuse(where, what, parts, " + ");
    result += part;
  }
  return result;
}

std::int64_t size_product(std::string_view where, std::string_view what, Sizes factors) {
  return has_any(factors) ? any : product(where, what, factors);
}

std::int64_t size_sum(std::string_view where, std::string_view what, Sizes parts) {
  return has_any(parts) ? any : sum(where, what, parts);
}

void check_room(std::string_view where, std::int64_t count, std::size_t value_bytes,
                std::string_view what) {
  constexpr std::int64_t worth_a_look = std::int64_t{64} << 20;
  const auto width = static_cast<std::int64_t>(value_bytes);
  const bool counts = count >= 0 && count <= std::numeric_limits<std::int64_t>::max() / width;
  const auto bytes = counts ? count * width : std::numeric_limits<std::int64_t>::max();
  if (counts && (bytes < worth_a_look || memory::can_be_had(bytes))) return;
  refuse_memory(where, what, bytes);
}

void refuse_memory(std::string_view where, std::string_view what, std::int64_t wanted) {
  const auto stats = memory::stats();
  const auto held = stats.bytes_in_use, kept = stats.bytes_reserved - stats.bytes_in_use;
  throw MemoryError(
      std::string(where), detail::current_layer_path(),
      detail::place(where) + ": " +
          detail::format(
              "{} needs {} bytes, which the system does not give; tensors hold {} bytes, "
              "the pool keeps {} more. Use a smaller batch, or end what holds tensors",
              fmt::make_format_args(what, wanted, held, kept)),
      wanted, held);
}

}  // namespace maskgrad::checked
