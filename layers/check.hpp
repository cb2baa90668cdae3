#pragma once

#include <maskgrad/layers/layer.hpp>

namespace maskgrad::check {

/// OptionError unless `value` is at least `least`.
void at_least(std::string_view kind, std::string_view option, std::int64_t value,
              std::int64_t least);
/// OptionError unless `value` is a number of 0 or more.
void not_negative(std::string_view kind, std::string_view option, double value);
/// OptionError unless `value` is a probability below 1.
void rate(std::string_view kind, std::string_view option, double value);
/// ShapeError unless x has features of a known size: at least two axes.
void has_features(const LayerInfo& info, std::string_view kind, const Tensor& x);
/// ShapeError unless x's last axis has the size that the weights were made for.
void features(const LayerInfo& info, std::string_view kind, const Tensor& x, std::int64_t size);
/// ShapeError unless x has `rank` axes, as `layout` says.
void layer_rank(const LayerInfo& info, std::string_view kind, const Tensor& x, int rank,
                std::string_view layout);

}  // namespace maskgrad::check
