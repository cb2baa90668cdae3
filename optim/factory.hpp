#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

/// An optimizer from its name and a JSON object of its options: Keras's names, in lower case too
/// ("adam"), PyTorch's meaning.
/// Throws:   OptionError, with the nearest, for an unknown name or option; as the optimizer.
/// Example:  mg::make_optimizer("Adam", model.parameters(), R"({"learning_rate": 0.01})")
std::unique_ptr<Optimizer> make_optimizer(std::string_view name, std::vector<Parameter> parameters,
                                          std::string_view options = "{}");
/// The names of all.
std::span<const std::string_view> optimizer_names();

/// An optimizer as JSON, {"class_name": ..., "config": {...}} with all options and the learning
/// rate as it is now: what it is, not its moments.
std::string describe(const Optimizer& optimizer);
/// The optimizer that `describe` described. Throws: as make_optimizer.
/// Example:  const auto same = mg::optimizer_from(mg::describe(adam), model.parameters());
std::unique_ptr<Optimizer> optimizer_from(std::string_view json, std::vector<Parameter> parameters);

}  // namespace maskgrad
