#pragma once

#include <maskgrad/layers/layer/layer.hpp>

/// What layers check. Options are checked while a layer is made, when no scope names it yet, so
/// those checks are told its kind. Inputs are checked while it runs, so LayerScope gives its title.
namespace maskgrad::check {

/// OptionError unless `value` is at least `least`.
void at_least(std::string_view kind, std::string_view option, std::int64_t value,
              std::int64_t least);
/// OptionError unless `value` is a number of 0 or more.
void not_negative(std::string_view kind, std::string_view option, double value);
/// OptionError unless `value` is a probability below 1.
void rate(std::string_view kind, std::string_view option, double value);
/// OptionError unless `axis` can be an axis of a tensor.
void axis(std::string_view kind, std::string_view option, std::int64_t axis);
/// Whether `data_format` is channels_first; OptionError unless it is that or channels_last.
bool channels_first(std::string_view kind, const std::string& data_format);
/// ShapeError unless x is [batch, time, ...].
void has_steps(const Tensor& x);
/// The axis along which operations on sequences look for the steps: the last that is masked, else
/// time, 1.
int last_mask_axis(const Tensor& x);
/// ShapeError unless the inputs are [batch, ...], of one batch size.
void one_batch(const Tensors& inputs);
/// ShapeError unless x has features of a known size: at least two axes.
void has_features(const Tensor& x);
/// ShapeError unless x's last axis has the size that the weights were made for.
void features(const Tensor& x, std::int64_t size);
/// ShapeError unless x has `rank` axes, as `layout` says.
void layer_rank(const Tensor& x, int rank, std::string_view layout);

}  // namespace maskgrad::check
