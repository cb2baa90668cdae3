// What a model file of Keras does with masks and padding: maskgrad-lint model.keras

#include <fmt/core.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include <maskgrad/layers/keras/lint.hpp>
#include <maskgrad/layers/keras/stand_in.hpp>

namespace mg = maskgrad;

namespace {

constexpr std::string_view help =
    R"(usage: maskgrad-lint FILE [--json | --dot] [--html PAGE] [--custom NAME=RULE ...]

Reads a model that Keras saved (.keras, or .h5 with its layers), without running anything in it, and
says layer by layer where masks are made, read, passed on, dropped and ignored, which layers read
padding as data, and what to do. Where all layers are known it runs the model, to see which outputs
move when nothing but padding does.

  --json        the same as JSON
  --dot         a graph for Graphviz
  --html PAGE   one page with a picture, which needs nothing else
  --custom NAME=RULE   what a custom layer (its name or class) does with steps: propagates (each by
                itself), supports (over all, which stay), consumes (over all, which end) or
                unsupported (side by side); or a layer of maskgrad that does the same, as
                SumLayer=GlobalSumPooling1D, with its options as JSON behind it

Exit status: 0 padding reaches no result; 1 it does; 3 a custom layer makes it impossible to say;
2 the file cannot be read.
)";

struct Arguments {
  std::string file, page;
  bool json = false, dot = false, help = false;
  mg::KerasOptions options;
  std::string trouble;
};

void take_custom(Arguments& made, std::string_view word) {
  const auto at = word.find('=');
  if (at == word.npos || at == 0) {
    made.trouble = fmt::format("--custom {}: expected NAME=RULE", word);
    return;
  }
  try {
    made.options.custom[std::string(word.substr(0, at))] = mg::keras_stand_in(word.substr(at + 1));
  } catch (const mg::OptionError& error) {
    made.trouble = error.what();
  }
}

Arguments arguments_of(int count, char** values) {
  Arguments made;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = values[i];
    if (word == "--json") {
      made.json = true;
    } else if (word == "--dot") {
      made.dot = true;
    } else if (word == "--help" || word == "-h") {
      made.help = true;
    } else if (word == "--html" && i + 1 < count) {
      made.page = values[++i];
    } else if (word.starts_with("--html=")) {
      made.page = word.substr(7);
    } else if (word == "--custom" && i + 1 < count) {
      take_custom(made, values[++i]);
    } else if (word.starts_with("--custom=")) {
      take_custom(made, word.substr(9));
    } else if (word.starts_with("-") && word.size() > 1) {
      made.trouble = fmt::format("there is no option {}, or it lacks its value", word);
    } else if (!made.file.empty()) {
      made.trouble = fmt::format("one file at a time; got {} and {}", made.file, word);
    } else {
      made.file = word;
    }
  }
  if (made.file.empty() && !made.help && made.trouble.empty()) made.trouble = "which file?";
  return made;
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments = arguments_of(count, values);
  if (arguments.help) {
    fmt::print("{}", help);
    return 0;
  }
  if (!arguments.trouble.empty()) {
    fmt::print(stderr, "maskgrad-lint: {}\n{}", arguments.trouble, help);
    return 2;
  }
  try {
    const mg::Lint found = mg::lint(arguments.file, arguments.options);
    fmt::print("{}", arguments.json ? found.json() : arguments.dot ? found.dot() : found.table());
    if (std::fflush(stdout) != 0) {
      fmt::print(stderr, "maskgrad-lint: the output cannot be written\n");
      return 2;
    }
    if (!arguments.page.empty()) {
      std::ofstream page(arguments.page, std::ios::binary);
      page << found.html();
      page.close();
      if (!page) {
        fmt::print(stderr, "maskgrad-lint: {} cannot be written\n", arguments.page);
        return 2;
      }
    }
    return found.status();
  } catch (const std::exception& error) {
    fmt::print(stderr, "maskgrad-lint: {}\n", error.what());
    return 2;
  }
}
