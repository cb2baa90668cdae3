#pragma once

#include <initializer_list>
#include <vector>

#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

namespace detail {

/// Real numbers as an option: none, one, or several. `0.5` and `{0.2, 0.5}` convert.
struct NumberList {
  NumberList() = default;
  NumberList(double one) : values{one} {}
  NumberList(std::initializer_list<double> all) : values(all) {}

  std::vector<double> values;
};
/// A number, an array of numbers, or null.
void read_option(extend::OptionReader& reader, extend::OptionName name, NumberList& list);
void write_option(extend::OptionWriter& writer, extend::OptionName name, const NumberList& list);

}  // namespace detail

namespace check {
/// OptionError for NaN and infinity.
void number(std::string_view kind, std::string_view option, double value);
/// The same for each.
void numbers(std::string_view kind, std::string_view option, const detail::NumberList& list);
}  // namespace check

}  // namespace maskgrad
