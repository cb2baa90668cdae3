#include <maskgrad/optim/data/csv_header.hpp>

#include <algorithm>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/optim/data/csv_column.hpp>

namespace maskgrad::data {

/// The delimiter is the one by which the first line has a column with the ids of sequences, or more
/// columns than one where there is none.
void CsvHeader::choose_delimiter(CsvReader& in, const ReadOptions& options) {
  const auto id = options.sequence.empty() ? "sequence" : options.sequence;
  const auto has_id = [&](const std::string& name) { return trimmed(name) == id; };
  std::string fits, splits;
  for (const char candidate : {',', ';', '\t', '|'}) {
    in.restart(candidate);
    try {
      if (!in.next(names_) || names_.size() < 2) continue;
    } catch (const FileError&) {
      continue;  // quotes that do not fit this one
    }
    splits += candidate;
    if (std::any_of(names_.begin(), names_.end(), has_id)) fits += candidate;
  }
  if (fits.empty()) fits = splits;
  if (fits.size() > 1) {
    in.refuse("the first line can be split by {} and by {}; say in .delimiter which one is meant",
              detail::in_quotes(fits.substr(0, 1)), detail::in_quotes(fits.substr(1, 1)));
  }
  in.restart(fits.empty() ? ',' : fits[0]);
}

CsvHeader::CsvHeader(CsvReader& in, const ReadOptions& options, std::string file)
    : file_(std::move(file)) {
  if (std::string_view("\"\r\n").find(options.delimiter) != std::string_view::npos) {
    fail<OptionError>("read_dataset", ".delimiter is {}; expected a comma, a semicolon or the like",
                      detail::in_quotes({&options.delimiter, 1}));
  }
  if (options.delimiter == '\0') {
    choose_delimiter(in, options);
  } else {
    in.restart(options.delimiter);
  }
  if (!in.next(names_)) in.refuse("the file is empty; expected a line with names of columns");
  for (auto& name : names_) name = std::string(trimmed(name));
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto& name = names_[i];
    if (name.empty()) in.refuse("column {} has no name; give it one", i + 1);
    if (!detail::is_utf8(name)) {
      in.refuse_in(name, "the name is no UTF-8; save the file as UTF-8");
    }
    if (!at_.emplace(name, i).second) {
      in.refuse_in(name, "the name comes twice; give every column a name of its own");
    }
  }
}

std::size_t CsvHeader::at(std::string_view option, const std::string& name) const {
  const auto found = at_.find(name);
  if (found != at_.end()) return found->second;
  const std::vector<std::string_view> known(names_.begin(), names_.end());
  const bool numbers = std::all_of(names_.begin(), names_.end(), is_number);
  const std::string_view way =
      numbers                ? "; the first line holds numbers: put the names of the columns there"
      : option != "sequence" ? ""
                             : "; where all lines are one sequence, set .layout to "
                               "StepLayout::one_sequence";
  fail<OptionError>("read_dataset", "{} has no column {} (.{}); {}{}", file_,
                    detail::in_quotes(name), option, nearest_hint(name, known), way);
}

}  // namespace maskgrad::data
