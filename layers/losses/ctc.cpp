#include <maskgrad/layers/losses/ctc.hpp>

#include <maskgrad/autograd/ops/loss/ctc.hpp>
#include <maskgrad/layers/losses/weights.hpp>

namespace maskgrad {

Loss ctc(const Tensor& labels, const Tensor& logits, const CTCOptions& options) {
  if (!options.from_logits) {
    fail<OptionError>(
        "ctc",
        "the option .from_logits is false; expected true: give it the logits, without "
        "a softmax before");
  }
  const auto infeasible = options.skip_infeasible ? Infeasible::skip : Infeasible::refuse;
  const losses::Weights weights("ctc", logits, std::min(logits.rank(), 1), options.reduction,
                                options.sample_weight);
  const auto each = detail::ctc_losses(weights.kept(labels), weights.kept(logits),
                                       options.blank_index, infeasible);
  Loss loss = weights.loss(each.y);
  loss.add_skipped(each.skipped);
  return loss;
}

}  // namespace maskgrad
