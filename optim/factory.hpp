#pragma once

#include <memory>
#include <string_view>

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

/// An optimizer from its name and a JSON object of its options: Keras's names, PyTorch's meaning.
/// Throws:   OptionError, with the nearest, for an unknown name or option; as the optimizer.
/// Example:  mg::make_optimizer("Adam", model.parameters(), R"({"learning_rate": 0.01})")
std::unique_ptr<Optimizer> make_optimizer(std::string_view name, std::vector<Parameter> parameters,
                                          std::string_view options = "{}");

}  // namespace maskgrad
