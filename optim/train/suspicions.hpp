#pragma once

#include <string>
#include <vector>

#include <maskgrad/optim/train/model_ref.hpp>
#include <maskgrad/optim/train/objective.hpp>

namespace maskgrad::detail {

/// What a first batch shows to be odd about a training with a loss that is known by name: a line
/// each, such as that the predictions are probabilities where the loss takes logits.
/// Throws: OptionError for what cannot be meant: targets that are no probabilities under a cross
///         entropy, predictions that are none where the loss was told that they are.
std::vector<std::string> suspicions(const ModelRef& model, const TrainingLoss& loss,
                                    const Batch& batch, const Tensors& outputs);

}  // namespace maskgrad::detail
