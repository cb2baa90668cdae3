#include <maskgrad/optim/data/csv_column.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace maskgrad::data {
namespace {

std::errc parse(std::string_view text, double& value) {
  const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data() + plus, end, value);
  return error == std::errc() && last != end ? std::errc::invalid_argument : error;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_number(std::string_view text) {
  double value = 0;
  return parse(text, value) != std::errc::invalid_argument;
}

double csv_number(const CsvReader& in, const std::string& column, std::string_view field) {
  const auto text = trimmed(field);
  if (text.empty()) {
    in.refuse_in(column,
                 "the value is missing; expected a number; fill it in, write nan, or leave the "
                 "line out");
  }
  double value = 0;
  const auto error = parse(text, value);
  if (error == std::errc()) return value;
  in.refuse_in(column, "{} is {}; expected a number, as 12 or -0.5e3", detail::in_quotes(text),
               error == std::errc::result_out_of_range ? "out of range" : "no number");
}

CsvColumn::CsvColumn(Options options)
    : given_(std::move(options)), only_given_(!given_.names.empty()) {
  for (const auto& name : given_.names) {
    if (number_.emplace(name, number_.size()).second) continue;
    fail<OptionError>("read_dataset", ".classes has {} twice; expected every name once",
                      detail::in_quotes(name));
  }
}

double CsvColumn::number_of(const CsvReader& in, std::string_view text) {
  const auto [at, added] = number_.emplace(text, number_.size());
  if (!added) return static_cast<double>(at->second);
  if (!detail::is_utf8(text)) {
    in.refuse_in(given_.name, "{} is no UTF-8; save the file as UTF-8", detail::in_quotes(text));
  }
  if (only_given_) {
    in.refuse_in(given_.name, "{} is none of the {} names in .classes; add it there",
                 detail::in_quotes(text), given_.names.size());
  }
  given_.names.emplace_back(text);
  return static_cast<double>(at->second);
}

double CsvColumn::value_of(const CsvReader& in, std::string_view text) {
  if (given_.holds == Holds::numbers && decided_ == 0) return csv_number(in, given_.name, text);
  if (text.empty()) {
    in.refuse_in(given_.name, "the name is missing; fill it in, or leave the line out");
  }
  const bool number = is_number(text);
  if (given_.holds == Holds::either) {
    given_.holds = number ? Holds::numbers : Holds::texts;
    decided_ = in.line();
  }
  if (decided_ > 0 && number != (given_.holds == Holds::numbers)) {
    in.refuse_in(given_.name,
                 "{} is {} number, but in line {} stands {}; expected numbers in all lines, or "
                 "names; set .texts of the field where all are names",
                 detail::in_quotes(text), number ? "a" : "no", decided_, number ? "none" : "one");
  }
  return number && decided_ > 0 ? csv_number(in, given_.name, text) : number_of(in, text);
}

void CsvColumn::add(const CsvReader& in, const std::vector<std::string>& fields,
                    std::size_t sequence, std::string_view id, bool first) {
  const auto text = trimmed(fields[given_.at]);
  const double value = value_of(in, text);
  if (!given_.per_sequence || first) {
    values_.push_back(value);
    return;
  }
  const auto before = values_[sequence];
  if (value == before || (std::isnan(value) && std::isnan(before))) return;
  in.refuse_in(given_.name,
               "{} differs from what the lines before say for sequence {}; expected the same in "
               "all its lines",
               detail::in_quotes(text), detail::in_quotes(id));
}

void CsvColumn::finish() {
  if (!holds_texts() || only_given_ || !given_.sorted) return;
  auto& names = given_.names;
  std::vector<std::size_t> order(names.size()), place(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
  for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  for (auto& v : values_) v = static_cast<double>(place[static_cast<std::size_t>(v)]);
  std::sort(names.begin(), names.end());
}

}  // namespace maskgrad::data
