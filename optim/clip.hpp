#pragma once

#include <vector>

#include <maskgrad/autograd/parameter.hpp>

namespace maskgrad {

// A parameter that stands twice in a list counts once, and is clipped once.

/// L2 norm of the gradients of all parameters together, in f64. GradError, naming the parameter,
/// where one is NaN or infinite.
/// Example:  mg::mean_squared_error(y, model(x)).backward();
///           mg::global_norm(model.parameters());
double global_norm(const std::vector<Parameter>& parameters);
namespace detail {
/// The same for a list that has each once.
double norm_of_distinct(const std::vector<Parameter>& parameters);
}  // namespace detail

/// Scales all gradients by one factor so that their global norm is at most `max_norm`; gives the
/// norm before. OptionError unless max_norm is above 0.
/// Source:   Pascanu et al. 2013, On the difficulty of training recurrent neural networks.
/// Example:  mg::mean_squared_error(y, model(x)).backward();
///           const double before = mg::clip_by_global_norm(model.parameters(), 1);
double clip_by_global_norm(const std::vector<Parameter>& parameters, double max_norm);

/// Puts every value of the gradients into [-limit, limit]. OptionError unless limit is above 0;
/// GradError, naming the parameter, where a value is NaN or infinite.
/// Example:  mg::mean_squared_error(y, model(x)).backward();
///           mg::clip_by_value(model.parameters(), 0.5);
void clip_by_value(const std::vector<Parameter>& parameters, double limit);

}  // namespace maskgrad
