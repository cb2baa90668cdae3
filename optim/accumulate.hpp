#pragma once

#include <vector>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

/// The gradient of a step that is computed in parts: sums and counts are added, the division
/// happens once, in `finish`, so that any split gives the gradient of the whole.
/// Example:  mg::Accumulate acc{model.parameters()};
///           for (const mg::Batch& b : batches.epoch(0)) {
///             acc.add(mg::sparse_categorical_crossentropy(b.target, model(b.inputs[0])));
///           }
///           acc.finish();  // gradients stand as after one backward; then adam.step()
class Accumulate {
 public:
  /// A parameter that stands twice in the list counts once.
  explicit Accumulate(std::vector<Parameter> parameters);

  /// Runs backward on the loss's sums. Each part must have the same terms. GradError otherwise, and
  /// where a parameter holds a gradient already.
  void add(const Loss& loss);
  struct Total {
    double value = 0;  ///< the loss of the whole
    double count = 0;  ///< of all parts, the first term's
  };
  /// Divides, sets the gradients, and starts over. With a count of 0 they are of nothing, and an
  /// optimizer's step leaves all as it is.
  Total finish();

 private:
  struct Part {
    Loss::Term term;  // its scale and reduction; count is the whole's
    double sum = 0;
    std::vector<Tensor> grads;  // of the sums, one a parameter
  };

  std::vector<Parameter> parameters_;
  std::vector<Part> parts_;
  detail::NoiseParts noise_;  ///< each part draws what the whole would
};

}  // namespace maskgrad
