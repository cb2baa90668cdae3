#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <maskgrad/core/error.hpp>
#include <maskgrad/core/quoted.hpp>

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

}  // namespace maskgrad::detail
