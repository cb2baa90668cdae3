#pragma once

#include <maskgrad/optim/distributed/communicator.hpp>

/// The library maskgrad-mpi, which is built where there is MPI (the Meson option `mpi`); the
/// library maskgrad knows nothing of it.
namespace maskgrad {

struct MpiOptions {
  /// Seconds without a sign of life after which a rank counts as stopped or gone. Ranks give one
  /// twice a second, also while they compute.
  double deadline = 6;
};

/// The processes that mpirun or Slurm's srun started together; MPI is begun by the first call and
/// ended with the process. Where a rank fails, all others throw; a process that has failed ends
/// with the exit code 1, when all have said why.
/// Throws:   RankError where MPI cannot begin, OptionError for a deadline that is not above 0.
///   const mg::Communicator ranks = mg::mpi_communicator();  // mpirun -n 4 program
Communicator mpi_communicator(const MpiOptions& options = {});

}  // namespace maskgrad
