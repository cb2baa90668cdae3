#include <maskgrad/optim/distributed/launched.hpp>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace maskgrad {

int launched_ranks() {
  // OpenMPI, MPICH and others by PMI; Slurm says it of every step, also of one without MPI.
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    const char* text = std::getenv(name);
    if (!text) continue;
    const std::string_view digits = text;
    int ranks = 1;
    std::from_chars(digits.data(), digits.data() + digits.size(), ranks);
    return std::max(1, ranks);
  }
  return 0;
}

}  // namespace maskgrad
