// Runs every Example of the doc comments, in a folder of its own, and names those that fail.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>

#include "examples.hpp"

int main() {
  std::string folder = (std::filesystem::temp_directory_path() / "examples-XXXXXX").string();
  if (!mkdtemp(folder.data())) {
    std::perror(folder.c_str());
    return 1;
  }
  std::filesystem::current_path(folder);
  std::ofstream("steps.csv") << "sequence,height,width,label\n"
                                "a,0.5,1,0\n"
                                "a,0.25,2,1\n"
                                "b,1,3,1\n";
  int failed = 0;
  const auto examples = all_examples();
  for (const auto& example : examples) {
    try {
      example.run();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s: %s\n", example.place.c_str(), e.what());
      ++failed;
    }
  }
  std::filesystem::current_path("/");
  std::filesystem::remove_all(folder);
  std::printf("%zu Examples, %d failed\n", examples.size(), failed);
  return failed || examples.empty() ? 1 : 0;
}
