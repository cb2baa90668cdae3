#include "command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include <maskgrad/core/error.hpp>
#include <maskgrad/core/nearest.hpp>

namespace samples {
namespace {

using maskgrad::fail;
using maskgrad::OptionError;

std::string kind_of(const Option& option) {
  if (!option.choices.empty()) return fmt::format("{}", fmt::join(option.choices, "|"));
  if (std::holds_alternative<std::string*>(option.value)) return option.required ? "FILE" : "TEXT";
  return std::holds_alternative<double*>(option.value) ? "X" : "N";
}

std::string default_of(const Option& option) {
  return std::visit([](const auto* value) { return fmt::format("{}", *value); }, option.value);
}

template <class Number>
void set_number(const std::string& where, const std::string& text, Number& value) {
  const char* end = text.data() + text.size();
  Number read = 0;
  const auto result = std::from_chars(text.data(), end, read);
  if (result.ec != std::errc() || result.ptr != end || !(read >= 0)) {
    fail<OptionError>(where, "'{}'; expected a {} of 0 or more", text,
                      std::is_same_v<Number, double> ? "number" : "whole number");
  }
  value = read;
}

}  // namespace

bool CommandLine::read(int argc, const char* const* argv) const {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      fmt::print("{}", help());
      return false;
    }
    const std::size_t equals = argument.find('=');
    const Option& option = find(argument.substr(0, equals));
    if (equals == std::string::npos && i + 1 == argc) {
      fail<OptionError>(program_ + " " + argument, "nothing behind it; expected {} {}", argument,
                        kind_of(option));
    }
    set(option, equals == std::string::npos ? argv[++i] : argument.substr(equals + 1));
  }
  for (const Option& option : options_) {
    if (!option.required || !default_of(option).empty()) continue;
    fail<OptionError>(program_, "{} is missing; expected {} {}: {}. {} --help says more.",
                      option.name, option.name, kind_of(option), option.meaning, program_);
  }
  return true;
}

const Option& CommandLine::find(std::string_view name) const {
  std::vector<std::string_view> names{"--help"};
  for (const Option& option : options_) {
    if (option.name == name) return option;
    names.push_back(option.name);
  }
  fail<OptionError>(program_, "unknown option '{}'; {}", name, maskgrad::nearest_hint(name, names));
}

void CommandLine::set(const Option& option, const std::string& text) const {
  const std::string where = program_ + " " + option.name;
  if (const auto* value = std::get_if<std::string*>(&option.value)) {
    const auto& choices = option.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
      fail<OptionError>(where, "'{}'; expected {}", text, fmt::join(choices, " or "));
    }
    **value = text;
  } else if (const auto* whole = std::get_if<std::int64_t*>(&option.value)) {
    set_number(where, text, **whole);
  } else {
    set_number(where, text, *std::get<double*>(option.value));
  }
}

std::string CommandLine::help() const {
  std::string page = about_ + "\n\n";
  for (const Option& option : options_) {
    const std::string usage = option.name + " " + kind_of(option);
    page += fmt::format("  {:<18} {}{}\n", usage, option.meaning,
                        option.required ? "" : fmt::format(" [{}]", default_of(option)));
  }
  return page;
}

}  // namespace samples
