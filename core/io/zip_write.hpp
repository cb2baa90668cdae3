#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maskgrad::detail {

/// An entry to be written: its name and the two parts of its bytes, which must outlive the call.
struct ZipPart {
  std::string name;
  std::span<const std::byte> front, back;
};

/// Makes the zip file of `parts` with libzip and hands its bytes to `sink` from front to back.
/// The entries have no date, so that equal parts give equal bytes.
void write_zip(std::string_view where, std::span<const ZipPart> parts, bool deflate,
               const std::function<void(std::span<const std::byte>)>& sink);

}  // namespace maskgrad::detail
