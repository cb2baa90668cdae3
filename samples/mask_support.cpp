// What does a layer do with a mask? `mask_support` lists all, `mask_support GRU` says all of one.

#include <fmt/core.h>

#include <maskgrad/maskgrad.hpp>

namespace mg = maskgrad;

int main(int argc, char** argv) {
  if (argc > 2) {
    fmt::print(stderr, "usage: mask_support [LAYER]\n");
    return 2;
  }
  try {
    if (argc == 2) {
      fmt::print("{}", mg::mask_support(argv[1]).str());
      return 0;
    }
    for (const auto& layer : mg::registered_layers()) fmt::print("{}\n", layer.line());
  } catch (const mg::Error& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
  return 0;
}
