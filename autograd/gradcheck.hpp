#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <maskgrad/autograd/callable.hpp>
#include <maskgrad/core/random.hpp>

namespace maskgrad {

struct GradcheckOptions {
  /// Accepted: |analytic - numeric| <= relative * max(|analytic|, |numeric|) + absolute.
  double relative = 1e-6;
  double absolute = 1e-8;
  /// Greatest distance that a value is moved, times max(1, |value|); kinks must be farther away.
  double step = 1e-3;
  /// Of the random weights that make one number of all results.
  Seed seed = {7};
  /// 2: of the gradients of f too, by its inputs and variables and by the weights of its results.
  int order = 1;
  /// 0: moves each value by itself; else all values of all variables together, along that many
  /// random directions, which takes far less time and does not say where a fault is.
  std::int64_t directions = 0;
  /// What f reads by itself, such as its parameters (variable_of): checked as inputs are.
  std::vector<Variable> variables = {};
};

/// What gradcheck found: the entry that is worst for its tolerance, and what is wrong besides.
struct GradcheckReport {
  std::int64_t checked = 0, wrong = 0;  ///< values compared, and those beyond their tolerance
  std::string variable;                 ///< name of the worst entry's variable
  std::vector<std::int64_t> position;   ///< its place in the padded tensor
  double analytic = 0, numeric = 0, difference = 0;
  double excess = 0;                  ///< the worst difference over its tolerance
  std::vector<std::string> problems;  ///< gradients of a wrong layout, results that change

  explicit operator bool() const { return wrong == 0 && problems.empty(); }
  /// `1 of 40 values is wrong; worst: x[2, 0, 1]: analytic ..., numeric ..., difference ...`.
  std::string str() const;
};

/// Compares the gradients of f with differences, at every value of every real input.
///   numeric = (phi(x + h) - phi(x - h)) / 2h at h, h/2, h/4, extrapolated to h = 0,
///   with phi = sum(c * y) over all results y and random c
/// Shapes:   any; inputs may carry masks, then their valid values are moved. Ids and truth values
///           stay as they are.
/// Throws:   TypeError where a real input is not f64; what f throws.
GradcheckReport gradcheck(const Callable& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

}  // namespace maskgrad
