#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <maskgrad/core/error.hpp>

namespace maskgrad::detail {

/// Who reads or writes which file: the two names that every message about a file begins with.
struct Place {
  std::string where;  ///< the function, as `read_npy`
  std::string file;   ///< the file's path; for an entry, the path and the entry

  /// Throws `where: file, byte N: text`.
  template <class... Args>
  [[noreturn]] void refuse(std::uint64_t offset, fmt::format_string<Args...> text,
                           Args&&... args) const {
    fail<FileError>(where, "{}, byte {}: {}", file, offset,
                    detail::format(text, fmt::make_format_args(args...)));
  }
};

/// `text` in quotes, fit for a message: cut after 80 bytes, what is not printable ASCII as \xHH.
std::string in_quotes(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace maskgrad::detail
