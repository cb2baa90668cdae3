#include <maskgrad/layers/metrics/perplexity.hpp>

#include <cmath>

#include <maskgrad/layers/losses/classification.hpp>

namespace maskgrad {

void Perplexity::write_options(extend::OptionWriter& writer) const {
  PerplexityOptions::each_option(options_, writer);
}

Tensor Perplexity::result() const {
  return result_of({std::exp(mean())}, {});
}

Metric::Sums Perplexity::measure(const Tensor& y_true, const Tensor& y_pred,
                                 const Tensor& sample_weight) const {
  const Loss loss = sparse_categorical_crossentropy(
      y_true, y_pred,
      {.from_logits = options_.from_logits, .ignore_class = options_.mask_token_id});
  return over(loss.positions(), sample_weight);
}

}  // namespace maskgrad
