#pragma once

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

struct PermuteOptions {
  std::vector<std::int64_t> dims;  ///< axes counted from 1; the batch, 0, is not one of them
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("dims"), o.dims);
    f("name", o.name);
  }
};

/// The axes behind the batch in a new order: axis i of the result is axis dims[i - 1] of x.
/// Shapes:   x [batch, ...], with as many axes behind the batch as `dims` has.
/// Mask:     propagates; mask axes change places among themselves, as do the others. An order that
///           brings features among the steps is refused.
/// Throws:   OptionError unless `dims` has each of 1 to its length once; ShapeError, MaskError.
/// Source:   Keras 3, Permute.
/// Example:  mg::Permute{{.dims = {1, 3, 2}}}(heads);  // [4, 5, 4, 2] under the mask of heads
class Permute {
 public:
  using Options = PermuteOptions;
  static constexpr std::string_view kind = "Permute";
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "axes of a row change places inside it, mask axes among themselves",
      .ways_out = "an order that keeps the steps first · x.drop_mask(\"why\")",
      .after = "passed on, its axes in their new order; among the features it is refused",
      .keras = "warns that it destroys the mask"};
  static constexpr TimeContract time{
      .by_options = "back 0 · ahead 0; where it moves the axis of steps, the whole sequence"};
  TimeContract time_now() const;

  explicit Permute(PermuteOptions options);
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
  std::vector<int> order_{0};  ///< the batch, then dims
};

}  // namespace maskgrad
