#pragma once

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

struct GlobalPoolingOptions {
  std::string data_format = "channels_last";  ///< channels_first: x is [batch, features, time]
  bool keepdims = false;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("data_format", o.data_format);
    f("keepdims", o.keepdims);
    f("name", o.name);
  }
};

namespace detail {

/// What a global pooling makes of a sequence's valid steps.
enum class PoolingKind { average, max, sum };

constexpr std::string_view global_pooling_kind(PoolingKind pool) {
  constexpr std::string_view kinds[] = {"GlobalAveragePooling1D", "GlobalMaxPooling1D",
                                        "GlobalSumPooling1D"};
  return kinds[static_cast<std::size_t>(pool)];
}
constexpr MaskContract global_pooling_contract(PoolingKind pool) {
  MaskContract contract{.role = MaskRole::consumes,
                        .why = "averages each sequence's valid steps",
                        .sample_role = MaskRole::propagates,
                        .keras = "an empty sequence gives NaN"};
  if (pool == PoolingKind::max) {
    contract.why = "takes the greatest of each sequence's valid steps";
    contract.keras = "warns that it destroys the mask; the padding counts";
  }
  if (pool == PoolingKind::sum) {
    contract.why = "adds each sequence's valid steps";
    contract.after = "read, and ends; an empty sequence gives 0";
    contract.keras = "has none";
  }
  return contract;
}
Tensor pooled(PoolingKind pool, const Tensor& x, bool channels_first, bool keepdims);
bool pools_channels_first(PoolingKind pool, const std::string& data_format);

/// One value of each feature for a whole sequence.
/// Shapes:   x [batch, time, features] -> [batch, features]; with keepdims [batch, 1, features].
///           channels_first: x [batch, features, time] -> [batch, features]; [batch, features, 1].
/// Mask:     consumes; a sequence without a valid step is masked in the result, its sum is 0 and is
///           not. With channels_first a mask [batch, features] propagates.
/// Gradient: of the mean dy / n at each of n valid steps; of the maximum dy, in equal parts where
///           several are greatest; of the sum dy.
/// Throws:   ShapeError unless x has three axes; OptionError for a data_format.
/// Source:   Keras 3, GlobalAveragePooling1D, GlobalMaxPooling1D.
/// Example:  mg::GlobalAveragePooling1D{}(x);               // [4, 3]: over 5, 3, 1 and 4 steps
///           mg::GlobalMaxPooling1D{{.keepdims = true}}(x);  // [4, 1, 3]
template <PoolingKind pool>
class GlobalPooling1D {
 public:
  using Options = GlobalPoolingOptions;
  static constexpr std::string_view kind = global_pooling_kind(pool);
  static constexpr MaskContract contract = global_pooling_contract(pool);
  static constexpr TimeContract time = result_so_far;
  TimeContract time_now() const {
    return channels_first_ ? TimeContract::whole("its steps are on the last axis") : time;
  }

  explicit GlobalPooling1D(GlobalPoolingOptions options = {})
      : info(kind, options.name),
        options_(std::move(options)),
        channels_first_(pools_channels_first(pool, options_.data_format)) {}
  MaskContract contract_now() const {
    MaskContract now = contract;
    if (channels_first_) {
      now.role = MaskRole::propagates;
      now.full_role = contract.role;
    }
    return now;
  }
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const {
    return pooled(pool, x, channels_first_, options_.keepdims);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  GlobalPoolingOptions options_;
  bool channels_first_;
};

}  // namespace detail

/// The mean over each sequence's valid steps, see GlobalPooling1D.
using GlobalAveragePooling1D = detail::GlobalPooling1D<detail::PoolingKind::average>;
/// The greatest of each sequence's valid steps, see GlobalPooling1D.
using GlobalMaxPooling1D = detail::GlobalPooling1D<detail::PoolingKind::max>;
/// The sum over each sequence's valid steps, see GlobalPooling1D.
using GlobalSumPooling1D = detail::GlobalPooling1D<detail::PoolingKind::sum>;

}  // namespace maskgrad
