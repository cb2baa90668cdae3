#pragma once

#include <string>

#include <maskgrad/optim/train/model_ref.hpp>
#include <maskgrad/optim/train/objective.hpp>

/// Where in a training an error came from.
namespace maskgrad::detail {

/// Throws the error that is being handled again, as what it is, with more text around its own.
[[noreturn]] void throw_again(const Error& error, const std::string& before,
                              const std::string& after = {});

/// A line that names the batch's sequences by their numbers in the data set: those that fail alone
/// as the batch did, where they can be told; else all. Before it, where the data are of another
/// type than the model, how to bring them together.
std::string sequences_at_fault(const Error& error, const ModelRef& model, const TrainingLoss& loss,
                               const Batch& batch);

}  // namespace maskgrad::detail
