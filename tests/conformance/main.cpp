// Runs folders of conformance cases and prints a line a case, then how many passed and failed.
// `conformance [--f32] DIR...`: exit status 0 where all passed, 1 where one failed, 2 where nothing
// could be run.

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string_view>

#include "run.hpp"

namespace fs = std::filesystem;
using namespace maskgrad::conformance;

namespace {

constexpr const char* usage =
    "usage: conformance [--f32] DIR...\n"
    "Runs the cases (*.safetensors) of each folder, in f64 or with --f32 in f32.\n";

std::vector<fs::path> cases_in(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) throw std::runtime_error(folder.string() + " is no folder");
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Empty where all is as expected.
std::string run(const fs::path& file, bool f32) try {
  const Case c = read_case(file, f32);
  Comparison result(c);
  if (c.kind == "layer") {
    run_layer(c, result);
  } else if (c.kind == "loss") {
    run_loss(c, result);
  } else if (c.kind == "optimizer") {
    run_optimizer(c, result);
  } else if (c.kind == "raises") {
    run_raises(c, result);
  } else {
    return "the kind '" + c.kind + "' is not layer, loss, optimizer or raises";
  }
  return result.what();
} catch (const std::exception& error) {
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

int main(int argc, char** argv) try {
  bool f32 = false;
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--f32") {
      f32 = true;
      continue;
    }
    if (argv[i][0] == '-') {
      const bool help = std::string_view(argv[i]) == "--help" || std::string_view(argv[i]) == "-h";
      fmt::print(help ? stdout : stderr, "{}", usage);
      return help ? 0 : 2;
    }
    const auto found = cases_in(argv[i]);
    if (found.empty())
      throw std::runtime_error("no case (*.safetensors) in " + std::string(argv[i]));
    files.insert(files.end(), found.begin(), found.end());
  }
  if (files.empty()) {
    fmt::print(stderr, "{}", usage);
    return 2;
  }
  int failed = 0;
  for (const auto& file : files) {
    const auto name = file.stem().string();
    const auto what = run(file, f32);
    failed += !what.empty();
    if (what.empty()) {
      fmt::print("ok {}\n", name);
    } else {
      fmt::print("FAILED {}: {}\n", name, what);
    }
  }
  fmt::print("{} passed, {} failed\n", static_cast<int>(files.size()) - failed, failed);
  return failed ? 1 : 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "conformance: {}\n", error.what());
  return 2;
}
