#pragma once

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

struct RepeatVectorOptions {
  std::int64_t n;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("n"), o.n);
    f("name", o.name);
  }
};

/// Each sample n times, as the steps of a sequence.
/// Shapes:   x [batch, features] -> [batch, n, features].
/// Mask:     propagates; under [batch] the new steps are all those of valid samples.
/// Gradient: dy summed over the copies.
/// Throws:   OptionError for n below 1; ShapeError unless x has two axes.
/// Source:   Keras 3, RepeatVector.
/// Example:  mg::RepeatVector{{.n = 5}}(dense);  // [4, 5, 3]
class RepeatVector {
 public:
  using Options = RepeatVectorOptions;
  static constexpr std::string_view kind = "RepeatVector";
  static constexpr MaskContract contract{.role = MaskRole::propagates,
                                         .why = "each sample is repeated by itself",
                                         .keras = "warns that it destroys the mask"};
  static constexpr TimeContract time = TimeContract::whole("it makes steps of a whole sample");

  explicit RepeatVector(RepeatVectorOptions options);
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
};

}  // namespace maskgrad
