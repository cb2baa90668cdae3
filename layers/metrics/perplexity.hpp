#pragma once

#include <optional>

#include <maskgrad/layers/metrics/metric.hpp>

namespace maskgrad {

struct PerplexityOptions {
  bool from_logits = true;                         ///< as the losses; in KerasHub false
  std::optional<std::int64_t> mask_token_id = {};  ///< positions of this id do not count

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("from_logits", o.from_logits);
    f("mask_token_id", o.mask_token_id);
  }
};

/// exp of the mean of -log p(true token), over everything.
/// Shapes:   y_true ids [batch, ...] i64, y_pred [batch, ..., tokens].
/// Mask:     as Metric; over tokens it is a MaskError.
/// Throws:   as Metric's update.
/// Source:   KerasHub, Perplexity, which weighs a batch by its sequences, not by its tokens.
/// Example:  mg::Perplexity perplexity{{.mask_token_id = 0}};
///           perplexity.update(labels, model.predict(x));
class Perplexity final : public Metric {
 public:
  explicit Perplexity(PerplexityOptions options = {}) : Metric("Perplexity"), options_(options) {}
  void write_options(extend::OptionWriter& writer) const override;
  Tensor result() const override;

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;

 private:
  PerplexityOptions options_;
};

}  // namespace maskgrad
