#pragma once

#include <maskgrad/optim/distributed/communicator.hpp>
#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

/// `optimizer.step()` of ranks that share its state: each holds and steps the state of some of the
/// parameters, and gets the other weights from the others, so that all have the same bits as after
/// a step of the whole. What `train_step` does by RankOptions::shard_optimizer, for loops by hand;
/// all ranks call it, with the gradients of the whole step.
/// Throws:   as Optimizer::step; RankError.
/// Example:  mg::Adam adam{model.parameters()};
///           mg::mean_squared_error(y, model(x)).backward();
///           mg::step_in_parts(adam, mg::Communicator::alone());
StepReport step_in_parts(Optimizer& optimizer, const Communicator& communicator);

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
/// Gives rank 0 the whole state, for a checkpoint; it is to keep its part alone again.
void gather_on_rank_0(Optimizer& optimizer, const Communicator& communicator);
}  // namespace detail

}  // namespace maskgrad
