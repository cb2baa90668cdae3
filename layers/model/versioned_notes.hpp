#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad::detail {

/// make(notes) of the options Notes that `text` in the metadata of a file holds. FileError, which
/// says what the file `does not say`, where it is not such a text, or where its .version is another
/// than a new Notes has.
template <class Notes, class Make>
auto read_notes(std::string_view where, const std::filesystem::path& path, const std::string& text,
                std::string_view does_not_say, const Make& make) {
  Notes notes;
  const auto expected = notes.version;
  auto found = expected;
  try {
    extend::OptionReader reader("its metadata", text);
    reader("version", found);
    if (found == expected) {
      Notes::each_option(notes, reader);
      reader.finish();
      return make(std::move(notes));
    }
  } catch (const Error& error) {
    fail<FileError>(where, "{} does not say {} ({})", path.string(), does_not_say, error.what());
  }
  fail<FileError>(where, "{} is of version {}; expected {}", path.string(), found, expected);
}

}  // namespace maskgrad::detail
