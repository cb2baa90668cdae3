#pragma once

#include <functional>
#include <vector>

#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

/// The gradient of each sequence's own loss.
struct SequenceGradients {
  /// Of each parameter [batch, its shape], under a mask [batch] where a sequence has no loss.
  std::vector<Tensor> gradients;
  Tensor norms;  ///< f64 [batch]: of all parameters together, under the same mask

  /// The mean over all sequences of their gradients, each scaled so that its norm is at most
  /// `max_norm`: like the parameters, for set_grad. Those without a loss count, as 0.
  /// Throws:   OptionError unless max_norm is above 0.
  /// Source:   Abadi et al. 2016, Deep learning with differential privacy, before the noise.
  std::vector<Tensor> clipped_mean(double max_norm) const;
};

/// The gradient of each sequence's own loss for every parameter: that of `loss` on each alone, with
/// the noise that it draws in the batch. What the parameters hold in `.grad` stays as it is.
/// Shapes:   inputs [batch, ...]; `loss` gets each with a batch of 1, in several threads at once.
/// Throws:   ShapeError for inputs of unlike batches; StateError for a layer that mixes sequences
///           (BatchNormalization in training) or carries its state; what `loss` throws.
/// Example:  const auto g = mg::per_sequence_gradients(
///               [&](const std::vector<mg::Tensor>& in) {
///                 return mg::mean_squared_error(in[1], model(in[0]));
///               },
///               {x, y}, model.parameters());
SequenceGradients per_sequence_gradients(
    const std::function<Loss(const std::vector<Tensor>&)>& loss, const std::vector<Tensor>& inputs,
    const std::vector<Parameter>& parameters);

}  // namespace maskgrad
