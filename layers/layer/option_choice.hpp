#pragma once

#include <array>
#include <string>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad::detail {

/// Reads an option that is one of an enum's values, by what `name(value)` says.
/// OptionError, with the nearest, for another.
template <class E, std::size_t n>
void read_choice(extend::OptionReader& reader, extend::OptionName option, E& value,
                 const std::array<E, n>& all) {
  std::string text(name(value));
  reader(option, text);
  std::array<std::string_view, n> names;
  for (std::size_t i = 0; i < n; ++i) {
    names[i] = name(all[i]);
    if (text == names[i]) return void(value = all[i]);
  }
  fail<OptionError>(reader.where(), "there is no {} '{}'; {}", option.name, text,
                    nearest_hint(text, names));
}

}  // namespace maskgrad::detail
