#pragma once

#include <string>
#include <string_view>

#include <maskgrad/optim/data/read.hpp>

#include "io/files.hpp"

namespace maskgrad::tests {

/// The data set of a CSV file x.csv that holds `text`.
inline Dataset read_csv(std::string_view text, const ReadOptions& options = {}) {
  const files::TemporaryFolder folder;
  files::save(folder / "x.csv", text);
  return read_dataset(folder / "x.csv", options);
}

/// What read_dataset says of it, from the file's name on; `no error` where it is read.
inline std::string refusal(std::string_view text, const ReadOptions& options = {}) {
  try {
    read_csv(text, options);
  } catch (const Error& error) {
    const std::string message = error.what();
    return message.substr(message.find("x.csv"));
  }
  return "no error";
}

}  // namespace maskgrad::tests
