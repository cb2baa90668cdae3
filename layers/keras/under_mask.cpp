#include <maskgrad/layers/keras/under_mask.hpp>

#include <limits>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/layers/attention/multi_head_attention.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view fill_reason = "as Keras leaves it";

// Dense steps in the other order.
Tensor flipped_steps(const Tensor& x) {
  return reverse(x, 1);
}

// Each step of y where the mask is true, else the one before; zeros before the first.
Tensor repeated_steps(const Tensor& y, const Mask& mask) {
  const Tensor dense = y.has_mask() ? y.drop_mask(fill_reason) : y;
  if (y.is_meta()) return dense;
  const auto batch = y.shape()[0], time = y.shape()[1], size = y.shape()[2];
  const auto valid = mask.to_vector();
  std::vector<std::int64_t> from;
  from.reserve(static_cast<std::size_t>(batch * time * size));
  for (std::int64_t b = 0; b < batch; ++b) {
    std::int64_t last = 0;  // the step of zeros that is put before
    for (std::int64_t t = 0; t < time; ++t) {
      if (valid[static_cast<std::size_t>(b * time + t)]) last = t + 1;
      from.insert(from.end(), static_cast<std::size_t>(size), last);
    }
  }
  return take_along_axis(pad(dense, 1, 1, 0), tensor(from, {batch, time, size}), 1);
}

Mask flipped_steps(const Mask& mask) {
  const auto batch = mask.shape()[0], time = mask.shape()[1];
  const auto valid = mask.to_vector();
  std::vector<bool> other(valid.size());
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t t = 0; t < time; ++t) {
      other[static_cast<std::size_t>(b * time + t)] =
          valid[static_cast<std::size_t>(b * time + time - 1 - t)];
    }
  }
  return Mask::keep(other, mask.shape());
}

[[noreturn]] void refuse_description() {
  fail<OptionError>(KerasUnderMask::kind,
                    "a model that computes on padding as Keras does is for comparison, and has no "
                    "description; load it without .fill_reason to save it");
}

}  // namespace

KerasUnderMask::KerasUnderMask(AnyLayer layer, std::size_t masks, KerasFill fill, bool backwards)
    : info(kind, layer.info().name),
      layer_(std::move(layer)),
      masks_(masks),
      fill_(fill),
      backwards_(backwards) {
  info.named = true;
}

KerasUnderMask KerasUnderMask::from_options(extend::OptionReader&) {
  refuse_description();
}
void KerasUnderMask::write_options(extend::OptionWriter&) const {
  refuse_description();
}

namespace {
// Of a query under no mask, or without keys: all scores are the same, so that each value counts.
Tensor mean_of_values(AnyLayer& layer, const Tensor& query, const Tensor& value, const Tensor& y) {
  if (y.is_meta()) return y.has_mask() ? y.drop_mask(fill_reason) : y;
  // One query that reads all keys alike is attention to keys that are all the mean.
  Tensor mean_value = mean(value, {1}, true);
  if (layer.is<MultiHeadAttention>()) {
    const Tensor one = select(query, 1, 0);
    const Tensors out = layer.call({expand_dims(one, 1), mean_value, mean_value});
    return broadcast_to(out[0], y.shape());
  }
  return broadcast_to(mean_value, y.shape());
}
}  // namespace

Tensor KerasUnderMask::filled(const Tensor& y, const Mask& mask) const {
  const bool steps = y.rank() == 3 && y.has_mask() && y.mask().rank() == 2;
  if (fill_ == KerasFill::repeats && steps) {
    if (!backwards_) return repeated_steps(y, mask);
    if (y.is_meta()) return y.drop_mask(fill_reason);
    // Back to the steps' own positions, and from there into the order in which they ran.
    const Tensor own = flipped_steps(reverse(y).drop_mask(fill_reason));
    return repeated_steps(own, flipped_steps(mask));
  }
  const double fill = fill_ == KerasFill::nan ? std::numeric_limits<double>::quiet_NaN() : 0;
  return y.has_mask() ? y.drop_mask(fill_reason, fill) : y;
}

// Results of attention: of each query that is valid and has a key, else as Keras has them.
Tensor KerasUnderMask::attended(const Tensor& y, const Tensors& inputs) {
  const auto count = inputs.size() - masks_;
  const Tensor& value = inputs[count > 1 ? 1 : 0];
  const Tensor all = mean_of_values(layer_, inputs[0], value, y);
  const Tensor dense = y.has_mask() ? y.drop_mask(fill_reason) : y;
  if (y.is_meta()) return dense;
  const auto wide = [&](const Tensor& truth) { return broadcast_to(truth, y.shape()); };
  const Tensor some = expand_dims(any_true(inputs.back(), {1}, true), 2);
  const Tensor query = expand_dims(inputs[count], 2);
  if (layer_.is<MultiHeadAttention>()) return where(wide(logical_and(query, some)), dense, all);
  return where(wide(query), where(wide(some), dense, all), zeros_like(dense));
}

Tensors KerasUnderMask::forward(const Tensors& inputs) {
  if (inputs.size() <= masks_) {
    fail<ShapeError>(kind, "{} inputs; expected those of the layer and {} masks", inputs.size(),
                     masks_);
  }
  const auto count = inputs.size() - masks_;
  Tensors given(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(count));
  Mask first;
  for (std::size_t i = 0; i < masks_; ++i) {
    const Mask mask = Mask::keep(inputs[count + i]);
    if (i == 0) first = mask;
    given[i] = with_mask(given[i], mask);
  }
  Tensors results = layer_.call(given);
  if (fill_ == KerasFill::mean_of_all) results[0] = attended(results[0], inputs);
  for (auto& y : results) y = filled(y, first);
  return results;
}

}  // namespace maskgrad::detail
