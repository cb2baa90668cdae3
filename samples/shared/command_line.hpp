#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace samples {

/// An option of a command line: the variable that it sets holds its default.
struct Option {
  std::string name;  ///< as `--units`
  std::variant<std::string*, std::int64_t*, double*> value;
  std::string meaning;
  std::vector<std::string> choices = {};  ///< of a text; none: any
  bool required = false;                  ///< a text that must be given
};

/// The command line of a sample: `--name VALUE` or `--name=VALUE`, and `--help`.
class CommandLine {
 public:
  /// `about` says what the sample does and where its data are from; the page shows it as it is.
  CommandLine(std::string program, std::string about, std::vector<Option> options)
      : program_(std::move(program)), about_(std::move(about)), options_(std::move(options)) {}

  /// Sets the variables. False where --help was asked for: the page is printed, and that is all.
  /// Throws:   mg::OptionError, which says what there is, for an unknown option (with the nearest),
  ///           a missing or unreadable value, a number below 0, a required option that is not
  ///           given.
  bool read(int argc, const char* const* argv) const;
  /// The page: about, and a line for each option with its default.
  std::string help() const;

 private:
  const Option& find(std::string_view name) const;
  void set(const Option& option, const std::string& text) const;

  std::string program_, about_;
  std::vector<Option> options_;
};

}  // namespace samples
