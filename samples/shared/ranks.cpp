#include "ranks.hpp"

#include <cstdio>

#include <maskgrad/optim/distributed/launched.hpp>
#ifdef MASKGRAD_MPI
#include <maskgrad/optim/distributed/mpi/mpi.hpp>
#endif

namespace samples {

maskgrad::RankOptions ranks() {
  const int launched = maskgrad::launched_ranks();
  if (launched == 0) return {};
#ifdef MASKGRAD_MPI
  maskgrad::RankOptions options{.communicator = maskgrad::mpi_communicator()};
  static const bool silent =
      options.communicator.rank() > 0 && std::freopen("/dev/null", "w", stdout) != nullptr;
  static_cast<void>(silent);
  return options;
#else
  if (launched == 1) return {};
  maskgrad::fail<maskgrad::StateError>(
      "mpirun",
      "{} processes were started, and the samples were built without MPI, so that each would train "
      "by itself; install libopenmpi-dev and openmpi-bin, then: meson setup --reconfigure "
      "-Dmpi=enabled build",
      launched);
#endif
}

}  // namespace samples
