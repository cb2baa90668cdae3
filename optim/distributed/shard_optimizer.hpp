#pragma once

#include <maskgrad/optim/distributed/communicator.hpp>
#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

/// Where ranks share an optimizer's state (RankOptions::shard_optimizer), gives each the whole
/// again: for `state_arrays` and `saved_values`, which a part refuses. All ranks call it. `fit` does
/// so at its end.
/// Throws:   RankError.
/// Example:  mg::Adam adam{model.parameters()};
///           mg::gather_optimizer(adam, mg::Communicator::alone());  // holds all there is
void gather_optimizer(Optimizer& optimizer, const Communicator& communicator);

namespace detail {
/// Lets go of the state of parameters that other ranks hold and step; nothing where that is done.
void keep_part(Optimizer& optimizer, const Communicator& communicator);
/// Behind a step: each rank gets the weights that the others have stepped.
void share_weights(const Optimizer& optimizer, const Communicator& communicator);
/// Gives rank 0 the whole state, for a checkpoint; it is to keep its part alone again.
void gather_on_rank_0(Optimizer& optimizer, const Communicator& communicator);
}  // namespace detail

}  // namespace maskgrad
