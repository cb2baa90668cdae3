#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <unordered_map>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/optim/data/array_file.hpp>
#include <maskgrad/optim/data/csv.hpp>

namespace maskgrad::data {
namespace {

/// A column beside the features.
struct Extra {
  std::string name;
  std::size_t at = 0;         // among the columns
  bool per_sequence = false;  // must be the same in all lines of a sequence
  bool texts = false;         // numbers stand for its texts, in the order in which they come
  std::vector<double> values = {};
  std::vector<std::string> names = {};
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

class CsvFile final : public ArrayFile {
 public:
  CsvFile(const std::filesystem::path& path, ReadOptions& options) : file_(path.string()) {
    CsvReader in(path);
    read_header(in);
    choose(options);
    while (in.next(fields_)) read_line(in);
    sort_by_sequence();
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> all;
    for (const auto& [name, array] : arrays_) all.push_back(name);
    for (const auto& [name, texts] : texts_) all.push_back(name);
    return all;
  }
  ArrayRows rows(const std::string& name) const override {
    const auto found = arrays_.find(name);
    if (found == arrays_.end()) fail<FileError>("read_dataset", "'{}' holds texts", name);
    const auto& array = found->second;
    return {array->dtype, array->shape, array->bytes, array, file_ + ", column '" + name + "'"};
  }
  std::vector<std::string> texts(const std::string& name) const override { return texts_.at(name); }

 private:
  void read_header(CsvReader& in);
  void choose(ReadOptions& options);
  std::size_t column(std::string_view option, const std::string& name) const;
  void add_extra(Field& field, std::string_view option);
  void read_line(const CsvReader& in);
  double number(const CsvReader& in, std::size_t at) const;
  void read_extra(const CsvReader& in, Extra& extra, std::size_t sequence, bool first);
  void sort_by_sequence();
  void keep(const std::string& name, std::vector<std::int64_t> shape, std::vector<double> values,
            bool whole);

  std::string file_;
  std::vector<std::string> columns_, fields_;
  std::size_t sequence_column_ = 0;
  std::vector<std::size_t> features_;
  std::vector<Extra> extras_;
  std::unordered_map<std::string, std::size_t> sequence_of_;
  std::vector<std::int64_t> lengths_;
  std::vector<std::size_t> sequences_;  // of each line
  std::vector<double> values_;          // [lines, features]
  std::map<std::string, std::shared_ptr<const Array>> arrays_;
  std::map<std::string, std::vector<std::string>> texts_;
};

void CsvFile::read_header(CsvReader& in) {
  if (!in.next(columns_)) in.refuse("the file is empty; expected a line with names of columns");
  for (auto& name : columns_) name = std::string(trimmed(name));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto first = std::find(columns_.begin(), columns_.end(), columns_[i]);
    if (columns_[i].empty()) in.refuse("column {} has no name; give it one", i + 1);
    if (first != columns_.begin() + static_cast<std::ptrdiff_t>(i)) {
      in.refuse_in(columns_[i], "the name comes twice; give every column a name of its own");
    }
  }
}

std::size_t CsvFile::column(std::string_view option, const std::string& name) const {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found != columns_.end()) return static_cast<std::size_t>(found - columns_.begin());
  const std::vector<std::string_view> known(columns_.begin(), columns_.end());
  fail<OptionError>("read_dataset", "{} has no column '{}' (.{}); {}", file_, name, option,
                    nearest_hint(name, known));
}

void CsvFile::add_extra(Field& field, std::string_view option) {
  if (field.per == Per::automatic) field.per = Per::step;
  const auto at = column(option, field.name);
  if (field.name == "values" || field.name == "lengths") {
    fail<OptionError>("read_dataset",
                      "{}: the column '{}' (.{}) has a name that stands for something else; rename "
                      "it",
                      file_, field.name, option);
  }
  extras_.push_back({.name = field.name, .at = at, .per_sequence = field.per == Per::sequence});
}

/// Which column is what.
void CsvFile::choose(ReadOptions& options) {
  const auto usual = [&](const std::string& given, const std::string& name) {
    const bool there = std::find(columns_.begin(), columns_.end(), name) != columns_.end();
    return given.empty() && there ? name : given;
  };
  if (!options.lengths.empty() || !options.mask.empty()) {
    fail<OptionError>("read_dataset",
                      "{} is a CSV file, which has no .lengths and no .mask; say "
                      "in .sequence which column has the id of a line's sequence",
                      file_);
  }
  options.lengths = "lengths";
  sequence_column_ = column("sequence", options.sequence.empty() ? "sequence" : options.sequence);
  for (auto& field : options.inputs) {
    if (field.name != "values") add_extra(field, "inputs");
  }
  options.target.name = usual(options.target.name, "labels");
  if (!options.target.name.empty()) add_extra(options.target, "target");
  if (!options.weight.name.empty()) add_extra(options.weight, "weight");
  options.split = usual(options.split, "split");
  if (!options.split.empty()) {
    extras_.push_back({options.split, column("split", options.split), true, true});
  }
  for (const auto& name : options.columns) features_.push_back(column("columns", name));
  if (!features_.empty()) return;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const bool taken =
        i == sequence_column_ ||
        std::any_of(extras_.begin(), extras_.end(), [&](const Extra& e) { return e.at == i; });
    if (!taken) features_.push_back(i);
  }
}

double CsvFile::number(const CsvReader& in, std::size_t at) const {
  const auto text = trimmed(fields_[at]);
  if (text.empty()) {
    in.refuse_in(columns_[at],
                 "the value is missing; expected a number; fill it in, write nan, or leave the "
                 "line out");
  }
  double value = 0;
  const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  const auto [last, error] = std::from_chars(text.data() + plus, text.data() + text.size(), value);
  if (error == std::errc() && last == text.data() + text.size()) return value;
  in.refuse_in(columns_[at], "{} is {}; expected a number, as 12 or -0.5e3",
               detail::in_quotes(text),
               error == std::errc::result_out_of_range ? "out of range" : "no number");
}

void CsvFile::read_line(const CsvReader& in) {
  if (fields_.size() != columns_.size()) {
    const bool blank = fields_.size() == 1 && trimmed(fields_[0]).empty();
    if (blank) in.refuse("the line is empty; leave it out");
    in.refuse("{} fields; expected {}, as the first line has", fields_.size(), columns_.size());
  }
  const auto& id = fields_[sequence_column_];
  if (trimmed(id).empty()) {
    in.refuse_in(columns_[sequence_column_], "the sequence's id is missing; fill it in");
  }
  const auto [found, first] = sequence_of_.try_emplace(id, lengths_.size());
  if (first) lengths_.push_back(0);
  ++lengths_[found->second];
  sequences_.push_back(found->second);
  for (const auto f : features_) values_.push_back(number(in, f));
  for (auto& extra : extras_) read_extra(in, extra, found->second, first);
}

void CsvFile::read_extra(const CsvReader& in, Extra& extra, std::size_t sequence, bool first) {
  double value = 0;
  if (extra.texts) {
    const auto text = std::string(trimmed(fields_[extra.at]));
    const auto found = std::find(extra.names.begin(), extra.names.end(), text);
    value = static_cast<double>(found - extra.names.begin());
    if (found == extra.names.end()) extra.names.push_back(text);
  } else {
    value = number(in, extra.at);
  }
  if (!extra.per_sequence || first) {
    extra.values.push_back(value);
    return;
  }
  const auto before = extra.values[sequence];
  if (value == before || (std::isnan(value) && std::isnan(before))) return;
  in.refuse_in(extra.name,
               "{} differs from what the lines before say for sequence {}; expected the same in "
               "all its lines",
               detail::in_quotes(trimmed(fields_[extra.at])),
               detail::in_quotes(fields_[sequence_column_]));
}

/// Brings the lines of each sequence together, in their order.
void CsvFile::sort_by_sequence() {
  std::vector<std::size_t> next(lengths_.size(), 0);
  for (std::size_t s = 1; s < next.size(); ++s) {
    next[s] = next[s - 1] + static_cast<std::size_t>(lengths_[s - 1]);
  }
  std::vector<std::size_t> place(sequences_.size());
  for (std::size_t line = 0; line < place.size(); ++line) place[line] = next[sequences_[line]]++;
  const auto sorted = [&](const std::vector<double>& from, std::size_t width) {
    std::vector<double> made(from.size());
    for (std::size_t i = 0; i < from.size(); ++i)
      made[place[i / width] * width + i % width] = from[i];
    return made;
  };
  const auto lines = static_cast<std::int64_t>(place.size());
  const auto width = features_.size();
  if (width > 0) {
    keep("values", {lines, static_cast<std::int64_t>(width)}, sorted(values_, width), false);
  }
  keep("lengths", {static_cast<std::int64_t>(lengths_.size())}, {lengths_.begin(), lengths_.end()},
       true);
  for (auto& extra : extras_) {
    auto values = extra.per_sequence ? std::move(extra.values) : sorted(extra.values, 1);
    const auto count = static_cast<std::int64_t>(values.size());
    keep(extra.name, {count}, std::move(values), true);
    if (extra.texts) texts_[extra.name + "_names"] = std::move(extra.names);
  }
}

/// As i64 where all are whole and that is wanted.
void CsvFile::keep(const std::string& name, std::vector<std::int64_t> shape,
                   std::vector<double> values, bool whole) {
  const auto is_whole = [](double v) { return std::abs(v) < 0x1p53 && v == std::floor(v); };
  Array array;
  if (whole && std::all_of(values.begin(), values.end(), is_whole)) {
    const std::vector<std::int64_t> numbers(values.begin(), values.end());
    array = Array::of<std::int64_t>(std::move(shape), numbers);
  } else {
    array = Array::of<double>(std::move(shape), values);
  }
  arrays_[name] = std::make_shared<Array>(std::move(array));
}

}  // namespace

std::unique_ptr<ArrayFile> open_csv(const std::filesystem::path& path, ReadOptions& options) {
  return std::make_unique<CsvFile>(path, options);
}

}  // namespace maskgrad::data
