#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <maskgrad/core/io/place.hpp>

namespace maskgrad::data {

/// Reads the records of a CSV file one by one: commas, quotes, doubled quotes inside quotes, line
/// breaks inside quotes, LF or CRLF, with or without one at the end.
/// Throws:   FileError, with file and line.
/// Source:   RFC 4180.
class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& path);

  /// The fields of the next record; false at the end. Blanks around fields stay.
  bool next(std::vector<std::string>& fields);
  /// The line that the last record begins in, from 1 on.
  std::int64_t line() const { return line_; }

  /// Throws `read_dataset: file, line N: text`, or `file, line N, column 'x': text`.
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) const {
    refuse_text("", detail::format(text, fmt::make_format_args(args...)));
  }
  template <class... Args>
  [[noreturn]] void refuse_in(const std::string& column, fmt::format_string<Args...> text,
                              Args&&... args) const {
    refuse_text(column, detail::format(text, fmt::make_format_args(args...)));
  }

 private:
  [[noreturn]] void refuse_text(const std::string& column, const std::string& text) const;
  std::string quoted();
  std::string plain();
  bool take_line_end();

  std::string file_, text_;
  std::size_t at_ = 0;
  std::int64_t line_ = 0, next_line_ = 1;
};

}  // namespace maskgrad::data
