#include <maskgrad/layers/metrics/number_list.hpp>

#include <cmath>

#include <maskgrad/core/io/json.hpp>

namespace maskgrad {

using detail::SortedJson;

void detail::read_option(extend::OptionReader& reader, extend::OptionName name,
                         detail::NumberList& list) {
  extend::JsonText text{"[]"};
  reader(name, text);
  if (!reader.has(name)) return;
  SortedJson json = detail::parse_own_json(text.text);
  if (json.is_null()) json = SortedJson::array();
  if (!json.is_array()) json = SortedJson::array({json});
  list.values.clear();
  for (const auto& item : json) {
    if (!item.is_number()) reader.refuse(name, "a number, or an array of numbers");
    list.values.push_back(item.get<double>());
  }
}

void detail::write_option(extend::OptionWriter& writer, extend::OptionName name,
                          const detail::NumberList& list) {
  const auto& all = list.values;
  const SortedJson json = all.empty()       ? SortedJson()
                          : all.size() == 1 ? SortedJson(all[0])
                                            : SortedJson(all);
  writer(name, extend::JsonText{detail::json_text(json)});
}

namespace check {

void number(std::string_view kind, std::string_view option, double value) {
  if (std::isfinite(value)) return;
  fail<OptionError>(kind, "the option .{} is {}; expected a finite number", option, value);
}

void numbers(std::string_view kind, std::string_view option, const detail::NumberList& list) {
  for (const double value : list.values) number(kind, option, value);
}

}  // namespace check
}  // namespace maskgrad
