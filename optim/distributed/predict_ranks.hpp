#pragma once

#include <maskgrad/optim/distributed/rank_options.hpp>
#include <maskgrad/optim/train/model_ref.hpp>

namespace maskgrad {

/// What the model gives for a batch in evaluation, as `model.predict`, of which each rank computes
/// its shards; all ranks get the whole.
/// Throws:   ShapeError where the inputs are not of the same sequences; RankError; what the model
///           throws.
/// Example:  const auto ranks = mg::Communicator::alone();
///           const mg::Tensor y = mg::predict_ranks(model, {x}, {.communicator = ranks})[0];
Tensors predict_ranks(detail::ModelRef model, const Tensors& inputs, const RankOptions& ranks,
                      const PredictOptions& options = {});

}  // namespace maskgrad
