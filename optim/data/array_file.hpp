#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <maskgrad/core/io/array_rows.hpp>
#include <maskgrad/optim/data/read.hpp>

namespace maskgrad::data {

/// The arrays of a file by name.
class ArrayFile {
 public:
  virtual ~ArrayFile() = default;
  virtual std::vector<std::string> names() const = 0;
  virtual detail::ArrayRows rows(const std::string& name) const = 0;
  /// Texts of a list of them.
  virtual std::vector<std::string> texts(const std::string& name) const = 0;
  /// Reads an array once, or all of the file, where there is a checksum to compare it with.
  virtual void verify(const std::string&) const {}
  /// What the classes of the target are called, where the file says so.
  virtual std::vector<std::string> classes() const;
  virtual bool contains(const std::string& name) const;
  /// Whether an array holds no numbers.
  bool holds_texts(const std::string& name) const;
};

/// By the path's ending. The options say which columns of a CSV file are what, and come back with
/// what is left open there.
std::unique_ptr<ArrayFile> open_array_file(const std::filesystem::path& path, ReadOptions& options);
/// The columns of a CSV file as arrays: `values`, `lengths`, and each column that is named.
std::unique_ptr<ArrayFile> open_csv(const std::filesystem::path& path, ReadOptions& options);
/// The same for a text, under a name for messages.
std::unique_ptr<ArrayFile> parse_csv(std::string text, const std::string& name,
                                     ReadOptions& options);

}  // namespace maskgrad::data
