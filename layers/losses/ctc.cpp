#include <maskgrad/layers/losses/ctc.hpp>

#include <maskgrad/autograd/ops/ctc.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad {

Loss ctc(const Tensor& labels, const Tensor& logits, const CTCOptions& options) {
  if (!options.from_logits) {
    fail<OptionError>(
        "ctc",
        "the option .from_logits is false; expected true: give it the logits, without "
        "a softmax before");
  }
  const auto infeasible = options.skip_infeasible ? Infeasible::skip : Infeasible::refuse;
  return losses::finish(
      "ctc", ctc_negative_log_likelihood(labels, logits, options.blank_index, infeasible), options);
}

}  // namespace maskgrad
