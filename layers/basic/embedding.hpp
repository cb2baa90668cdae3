#pragma once

#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

struct EmbeddingOptions {
  std::int64_t input_dim;
  std::int64_t output_dim;
  Initializer embeddings_initializer = "random_uniform";
  bool mask_zero = false;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("input_dim"), o.input_dim);
    f(extend::required("output_dim"), o.output_dim);
    f("embeddings_initializer", o.embeddings_initializer);
    f("mask_zero", o.mask_zero);
    f("name", o.name);
  }
};

/// A vector for each id: y = embeddings[id]. With `mask_zero`, id 0 is padding.
/// Shapes:   ids [...] i64 -> [..., output_dim]; embeddings [input_dim, output_dim].
/// Mask:     with `mask_zero` produces the mask of the ids that are not 0 (AND the one there is);
///           else propagates. Ids under a mask are not read.
/// Throws:   IndexError for an id outside [0, input_dim), with its position; TypeError.
/// Source:   Keras 3, Embedding.
/// Example:  mg::Embedding words{{.input_dim = 9, .output_dim = 8, .mask_zero = true}};
///           mg::build(words, mg::Spec::ids({mg::any, mg::any}));
///           words(ids);  // [4, 5, 8] under a mask [4, 5], false where an id is 0
class Embedding {
 public:
  using Options = EmbeddingOptions;
  static constexpr std::string_view kind = "Embedding";
  static constexpr MaskContract contract{
      .role = MaskRole::produces,
      .why = "marks id 0 as padding with mask_zero; else passes the mask of the ids on"};
  static constexpr TimeContract time{};

  explicit Embedding(EmbeddingOptions options);
  MaskContract contract_now() const;
  Tensor operator()(const Tensor& ids) { return call(*this, ids); }
  void build(const Tensor& ids, Builder& builder);
  Tensor forward(const Tensor& ids) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("embeddings", self.embeddings_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  EmbeddingOptions options_;
  Parameter embeddings_;
};

}  // namespace maskgrad
