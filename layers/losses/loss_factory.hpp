#pragma once

#include <span>
#include <string_view>

#include <maskgrad/layers/losses/loss_function.hpp>

namespace maskgrad {

/// A loss from its name, as Keras spells the class or the function (`MeanSquaredError`,
/// `mean_squared_error`), and a JSON object of options: `reduction`, and those of the loss.
/// Throws:   OptionError, with the nearest, for an unknown name or option.
/// Example:  mg::make_loss_function("Huber", R"({"delta": 0.5})")(y, model(x)).backward();
LossFunction make_loss_function(std::string_view name, std::string_view options = "{}");
/// The names of all, as Keras spells the classes.
std::span<const std::string_view> loss_names();

}  // namespace maskgrad
