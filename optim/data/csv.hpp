#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <maskgrad/core/io/place.hpp>
#include <maskgrad/optim/data/read.hpp>

namespace maskgrad::data {

/// Reads the records of a CSV file one by one: delimiters, quotes, doubled quotes inside quotes,
/// line breaks inside quotes, LF, CRLF or CR, with or without one at the end.
/// Throws:   FileError, with file and line; where it cannot be known which line end is meant.
/// Source:   RFC 4180.
class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& path, LineEnd line_end = LineEnd::automatic);
  /// The same for a text, under a name for messages.
  CsvReader(std::string text, std::string name, LineEnd line_end);

  /// Begins anew, with another delimiter.
  void restart(char delimiter);
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
  void find_line_ends(LineEnd line_end);
  std::string quoted();
  std::string plain();
  std::size_t line_end_at(std::size_t at) const;
  bool take_line_end();

  std::string file_, text_;
  char delimiter_ = ',';
  bool cr_ends_ = false;
  std::size_t begin_ = 0, at_ = 0;
  std::int64_t line_ = 0, next_line_ = 1;
};

}  // namespace maskgrad::data
