// A program outside the tree: it knows maskgrad by pkg-config alone.
#include <maskgrad/maskgrad.hpp>

#include <cstdio>

namespace mg = maskgrad;

int main() {
  mg::set_num_threads(2);
  std::printf("maskgrad runs on %d threads\n", mg::num_threads());
  return mg::num_threads() == 2 ? 0 : 1;
}
