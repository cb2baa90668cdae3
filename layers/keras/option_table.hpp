#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Which layer of Keras is which here, and by which options.
namespace maskgrad::detail {

struct OptionRow {
  std::string_view keras, own;
  const char* options;  ///< those that mean the same, `from>to` where the name differs
};
/// In order: of several classes of Keras for one layer here, the first is the one to write.
std::span<const OptionRow> option_table();

/// `#`: a whole number, in Keras also as a list of one; `!`: an activation.
struct OptionWord {
  std::string keras, own;
  char how = ' ';
};
std::vector<OptionWord> option_words(const char* options);

}  // namespace maskgrad::detail
