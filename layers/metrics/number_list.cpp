#include <maskgrad/layers/metrics/number_list.hpp>

#include <cmath>
#include <nlohmann/json.hpp>

namespace maskgrad {

using SortedJson = nlohmann::json;

void read_option(OptionReader& reader, OptionName name, NumberList& list) {
  JsonText text{"[]"};
  reader(name, text);
  if (!reader.has(name)) return;
  SortedJson json = SortedJson::parse(text.text);
  if (json.is_null()) json = SortedJson::array();
  if (!json.is_array()) json = SortedJson::array({json});
  list.values.clear();
  for (const auto& item : json) {
    if (!item.is_number()) reader.refuse(name, "a number, or an array of numbers");
    list.values.push_back(item.get<double>());
  }
}

void write_option(OptionWriter& writer, OptionName name, const NumberList& list) {
  const auto& all = list.values;
  const SortedJson json = all.empty()       ? SortedJson()
                          : all.size() == 1 ? SortedJson(all[0])
                                            : SortedJson(all);
  writer(name, JsonText{json.dump()});
}

namespace check {

void number(std::string_view kind, std::string_view option, double value) {
  if (std::isfinite(value)) return;
  fail<OptionError>(kind, "the option .{} is {}; expected a finite number", option, value);
}

void numbers(std::string_view kind, std::string_view option, const NumberList& list) {
  for (const double value : list.values) number(kind, option, value);
}

}  // namespace check
}  // namespace maskgrad
