#pragma once

#include <vector>

#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/core/random.hpp>

namespace maskgrad {

/// While one lives, the weights that are trained have normal noise added to them; then they are
/// what they were, bit by bit. It lives over forward and backward of a step, not over the
/// optimizer's. The noise depends on the seed, the step and the weight's path alone; one that
/// stands twice in the list gets it once.
/// Throws:   OptionError unless the standard deviation is 0 or more.
/// Source:   Graves 2011, Practical variational inference for neural networks.
/// Example:  {
///             const mg::WeightNoise noise(model.parameters(), 0.01, mg::Seed{1}, adam.steps());
///             mg::mean_squared_error(y, model(x)).backward();
///           }
///           adam.step();
class WeightNoise {
 public:
  WeightNoise(const std::vector<Parameter>& parameters, double stddev, Seed seed,
              std::uint64_t step);
  ~WeightNoise();
  WeightNoise(const WeightNoise&) = delete;
  WeightNoise& operator=(const WeightNoise&) = delete;

 private:
  std::vector<std::pair<Parameter, Tensor>> before_;
};

}  // namespace maskgrad
