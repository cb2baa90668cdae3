#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <maskgrad/optim/data/csv.hpp>

namespace maskgrad::data {

/// Without the blanks around it.
std::string_view trimmed(std::string_view text);
/// The number that all of `text` spells, if it does.
bool is_number(std::string_view text);
/// The number in a field of a line; refuses, with the column's name, what is none.
double csv_number(const CsvReader& in, const std::string& column, std::string_view field);

/// A column of a CSV file beside the features: numbers, or texts for which numbers stand.
class CsvColumn {
 public:
  enum class Holds { numbers, texts, either };  ///< either: the first line decides for all

  /// `names`: the texts that may come, in the order of their numbers; where there are none, all
  /// that come, sorted or in the order in which they come.
  struct Options {
    std::string name;
    std::size_t at = 0;         ///< among the columns
    bool per_sequence = false;  ///< must be the same in all lines of a sequence
    Holds holds = Holds::numbers;
    std::vector<std::string> names = {};
    bool sorted = false;
  };
  explicit CsvColumn(Options options);

  /// The field of the line that was read last, of sequence `sequence` with the name `id`.
  void add(const CsvReader& in, const std::vector<std::string>& fields, std::size_t sequence,
           std::string_view id, bool first);
  /// To be called at the end.
  void finish();

  const std::string& name() const { return given_.name; }
  std::size_t at() const { return given_.at; }
  bool per_sequence() const { return given_.per_sequence; }
  bool holds_texts() const { return given_.holds == Holds::texts; }
  /// Of each line, or of each sequence.
  std::vector<double>& values() { return values_; }
  std::vector<std::string>& names() { return given_.names; }

 private:
  double value_of(const CsvReader& in, std::string_view text);
  double number_of(const CsvReader& in, std::string_view text);

  Options given_;
  bool only_given_;           // no other names than these
  std::int64_t decided_ = 0;  // the line that said whether numbers or texts stand here
  std::unordered_map<std::string, std::size_t> number_;  // of each name
  std::vector<double> values_;
};

}  // namespace maskgrad::data
