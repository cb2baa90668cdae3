#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <unordered_map>

#include <maskgrad/core/io/room.hpp>
#include <maskgrad/optim/data/array_file.hpp>
#include <maskgrad/optim/data/csv_column.hpp>
#include <maskgrad/optim/data/csv_header.hpp>

namespace maskgrad::data {
namespace {

class CsvFile final : public ArrayFile {
 public:
  CsvFile(const std::filesystem::path& path, ReadOptions& options)
      : CsvFile(CsvReader(path, options.line_end), path.string(), options) {}
  CsvFile(CsvReader in, const std::string& file, ReadOptions& options)
      : file_(file), header_(in, options, file) {
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
  detail::ArrayRows rows(const std::string& name) const override {
    const auto found = arrays_.find(name);
    if (found == arrays_.end()) fail<FileError>("read_dataset", "'{}' holds texts", name);
    const auto& array = found->second;
    return {array->dtype, array->shape, array->bytes, array, file_ + ", column '" + name + "'"};
  }
  std::vector<std::string> texts(const std::string& name) const override { return texts_.at(name); }
  std::vector<std::string> classes() const override { return classes_; }

 private:
  using Holds = CsvColumn::Holds;

  void choose(ReadOptions& options);
  void choose_sequences(ReadOptions& options);
  std::size_t column(std::string_view option, const std::string& name) const {
    return header_.at(option, name);
  }
  void add_extra(ReadField& field, std::string_view option,
                 const std::vector<std::string>& classes);
  void read_line(const CsvReader& in);
  std::size_t sequence_of(const CsvReader& in, std::string_view id);
  void sort_by_sequence();
  void keep(const std::string& name, std::vector<std::int64_t> shape, std::vector<double> values,
            bool whole);

  std::string file_;
  CsvHeader header_;
  std::vector<std::string> fields_;
  std::optional<std::size_t> sequence_column_;  // none where all lines are of one sequence
  std::vector<std::size_t> features_;
  std::vector<CsvColumn> extras_;
  std::unordered_map<std::string, std::size_t> sequence_of_;
  std::unordered_map<std::string, std::string> id_of_number_;
  std::vector<std::int64_t> lengths_;
  std::vector<std::size_t> sequences_;  // of each line
  std::vector<double> values_;          // [lines, features]
  std::map<std::string, std::shared_ptr<const Array>> arrays_;
  std::map<std::string, std::vector<std::string>> texts_;
  std::vector<std::string> classes_;
  std::optional<std::size_t> target_, split_;  // columns
};

void CsvFile::add_extra(ReadField& field, std::string_view option,
                        const std::vector<std::string>& classes) {
  if (field.per == ValuesPer::automatic) field.per = ValuesPer::step;
  const auto at = column(option, field.name);
  if (field.name == "values" || field.name == "lengths") {
    fail<OptionError>("read_dataset",
                      "{}: the column '{}' (.{}) has a name that stands for something else; rename "
                      "it",
                      file_, field.name, option);
  }
  const bool texts = field.texts || !classes.empty();
  extras_.emplace_back(CsvColumn::Options{.name = field.name,
                                          .at = at,
                                          .per_sequence = field.per == ValuesPer::sequence,
                                          .holds = option != "target" ? Holds::numbers
                                                   : texts            ? Holds::texts
                                                                      : Holds::either,
                                          .names = classes,
                                          .sorted = true});
}

/// Which column has the ids of sequences, if any.
void CsvFile::choose_sequences(ReadOptions& options) {
  if (!options.lengths.empty() || !options.mask.empty() || options.layout == StepLayout::padded) {
    fail<OptionError>("read_dataset",
                      "{} is a CSV file, which has no .lengths and no .mask; say "
                      "in .sequence which column has the id of a line's sequence",
                      file_);
  }
  if (options.layout != StepLayout::one_sequence) {
    sequence_column_ = column("sequence", options.sequence.empty() ? "sequence" : options.sequence);
  } else if (!options.sequence.empty()) {
    fail<OptionError>("read_dataset",
                      "{}: .layout says that all lines are one sequence, and .sequence names the "
                      "column {}; leave out one of them",
                      file_, detail::in_quotes(options.sequence));
  }
  options.lengths = "lengths";
  options.layout = StepLayout::rows;
}

/// Which column is what.
void CsvFile::choose(ReadOptions& options) {
  const auto usual = [&](const std::string& given, const std::string& name) {
    return given.empty() && header_.has(name) ? name : given;
  };
  choose_sequences(options);
  for (auto& field : options.inputs) {
    if (field.name != "values") add_extra(field, "inputs", {});
  }
  options.target.name = usual(options.target.name, "labels");
  if (!options.target.name.empty()) {
    add_extra(options.target, "target", options.classes);
    target_ = extras_.back().at();
  }
  if (!options.weight.name.empty()) add_extra(options.weight, "weight", {});
  options.split = usual(options.split, "split");
  if (!options.split.empty()) {
    split_ = column("split", options.split);
    extras_.emplace_back(CsvColumn::Options{
        .name = options.split, .at = *split_, .per_sequence = true, .holds = Holds::texts});
  }
  for (const auto& name : options.columns) features_.push_back(column("columns", name));
  if (!features_.empty()) return;
  std::vector<bool> taken(header_.names().size(), false);
  if (sequence_column_) taken[*sequence_column_] = true;
  for (const auto& extra : extras_) taken[extra.at()] = true;
  for (std::size_t i = 0; i < header_.names().size(); ++i) {
    if (!taken[i]) features_.push_back(i);
  }
}

/// The number that two spellings of an id, as 1, 01 and 1.0, have in common; else the id.
std::string spelled(std::string_view id) {
  double value = 0;
  const auto [last, error] = std::from_chars(id.data(), id.data() + id.size(), value);
  const bool whole = error == std::errc() && last == id.data() + id.size() &&
                     std::abs(value) < 0x1p53 && value == std::floor(value);
  return whole ? std::to_string(static_cast<std::int64_t>(value)) : std::string(id);
}

/// The number of the sequence with this id.
std::size_t CsvFile::sequence_of(const CsvReader& in, std::string_view id) {
  const auto [found, first] = sequence_of_.try_emplace(std::string(id), lengths_.size());
  if (!first) return found->second;
  const auto& column = header_.names()[*sequence_column_];
  if (id == "nan" || id == "NaN" || id == "NAN") {
    in.refuse_in(column, "the sequence's id is {}; fill it in", detail::in_quotes(id));
  }
  const auto [other, unique] = id_of_number_.try_emplace(spelled(id), id);
  if (!unique) {
    in.refuse_in(column,
                 "the sequence's id is {}, and above stands {}; expected one spelling of an id; "
                 "write both alike if they are one sequence, or give them other names",
                 detail::in_quotes(id), detail::in_quotes(other->second));
  }
  lengths_.push_back(0);
  return found->second;
}

void CsvFile::read_line(const CsvReader& in) {
  if (fields_.size() != header_.names().size()) {
    const bool blank = fields_.size() == 1 && trimmed(fields_[0]).empty();
    if (blank) in.refuse("the line is empty; leave it out");
    in.refuse("{} fields; expected {}, as the first line has", fields_.size(),
              header_.names().size());
  }
  std::string_view id = "all";
  if (sequence_column_) {
    id = trimmed(fields_[*sequence_column_]);
    if (id.empty()) {
      in.refuse_in(header_.names()[*sequence_column_], "the sequence's id is missing; fill it in");
    }
  } else if (lengths_.empty()) {
    lengths_.push_back(0);
  }
  const auto sequence = sequence_column_ ? sequence_of(in, id) : 0;
  const bool first = lengths_[sequence]++ == 0;
  sequences_.push_back(sequence);
  for (const auto f : features_) values_.push_back(csv_number(in, header_.names()[f], fields_[f]));
  for (auto& extra : extras_) extra.add(in, fields_, sequence, id, first);
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
    extra.finish();
    auto values = extra.per_sequence() ? std::move(extra.values()) : sorted(extra.values(), 1);
    const auto count = static_cast<std::int64_t>(values.size());
    keep(extra.name(), {count}, std::move(values), true);
    if (!extra.holds_texts()) continue;
    if (extra.at() == target_) classes_ = extra.names();
    if (extra.at() == split_) texts_[extra.name() + "_names"] = extra.names();
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

std::unique_ptr<ArrayFile> parse_csv(std::string text, const std::string& name,
                                     ReadOptions& options) {
  return std::make_unique<CsvFile>(CsvReader(std::move(text), name, options.line_end), name,
                                   options);
}

std::unique_ptr<ArrayFile> open_csv(const std::filesystem::path& path, ReadOptions& options) {
  std::unique_ptr<ArrayFile> file;
  std::error_code unknown;
  const auto size = std::filesystem::file_size(path, unknown);
  detail::with_room({"read_dataset", path.string()}, unknown ? 0 : 3 * size,
                    [&] { file = std::make_unique<CsvFile>(path, options); });
  return file;
}

}  // namespace maskgrad::data
