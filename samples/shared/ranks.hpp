#pragma once

#include <maskgrad/optim/distributed/rank_options.hpp>

namespace samples {

/// The processes that mpirun started, to be given to fit and evaluate as `.ranks`; none where this
/// one was started by itself. All but rank 0 print nothing from here on.
/// Throws:   mg::StateError where there are several and the samples were built without MPI.
maskgrad::RankOptions ranks();

}  // namespace samples
