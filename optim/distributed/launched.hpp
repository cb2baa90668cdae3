#pragma once

namespace maskgrad {

/// How many processes the launcher of this one (mpirun, Slurm's srun) says that it started: 0 where
/// none did. It needs no MPI.
/// Example:  if (mg::launched_ranks() > 1) std::puts("started by mpirun");
int launched_ranks();

}  // namespace maskgrad
