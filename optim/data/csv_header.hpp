#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include <maskgrad/optim/data/csv.hpp>

namespace maskgrad::data {

/// The first line of a CSV file: the names of its columns, each once.
class CsvHeader {
 public:
  /// Reads it, by the delimiter of the options or the only one that splits it.
  CsvHeader(CsvReader& in, const ReadOptions& options, std::string file);

  const std::vector<std::string>& names() const { return names_; }
  bool has(const std::string& name) const { return at_.count(name) > 0; }
  /// The place of a column; OptionError, with the option that asks for it, where there is none.
  std::size_t at(std::string_view option, const std::string& name) const;

 private:
  void choose_delimiter(CsvReader& in, const ReadOptions& options);

  std::string file_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::size_t> at_;
};

}  // namespace maskgrad::data
