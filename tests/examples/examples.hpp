#pragma once

#include <string>
#include <vector>

/// An Example of a doc comment: where it stands, and what it does.
struct Example {
  std::string place;
  void (*run)();
};

/// Made by tests/examples/make.
std::vector<Example> all_examples();
