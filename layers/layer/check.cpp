#include <maskgrad/layers/layer/check.hpp>

#include <array>
#include <limits>

#include <maskgrad/core/nearest.hpp>

namespace maskgrad::check {

void at_least(std::string_view kind, std::string_view option, std::int64_t value,
              std::int64_t least) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();  // of a matrix product
  if (value < least) {
    fail<OptionError>(kind, "the option .{} is {}; expected {} or more", option, value, least);
  }
  if (value > most) {
    fail<OptionError>(kind, "the option .{} is {}; expected {} to {}", option, value, least,
                      most + 0);
  }
}

void not_negative(std::string_view kind, std::string_view option, double value) {
  if (value >= 0) return;
  fail<OptionError>(kind, "the option .{} is {}; expected 0 or more", option, value);
}

void rate(std::string_view kind, std::string_view option, double value) {
  if (value >= 0 && value < 1) return;
  fail<OptionError>(kind, "the option .{} is {}; expected a probability from 0 up to but not 1",
                    option, value);
}

void axis(std::string_view kind, std::string_view option, std::int64_t axis) {
  if (axis >= -Shape::max_rank && axis < Shape::max_rank) return;
  fail<OptionError>(kind, "the option .{} is {}; expected an axis, {} to {}", option, axis,
                    -Shape::max_rank, Shape::max_rank - 1);
}

bool channels_first(std::string_view kind, const std::string& data_format) {
  constexpr std::array<std::string_view, 2> names = {"channels_last", "channels_first"};
  if (data_format == names[1]) return true;
  if (data_format == names[0]) return false;
  fail<OptionError>(kind, "the option .data_format is '{}'; {}", data_format,
                    nearest_hint(data_format, names));
}

void has_steps(const Tensor& x) {
  if (x.rank() >= 2) return;
  fail<ShapeError>(detail::layer_title(), "input is {}; expected [batch, time, ...]", x.describe());
}

int last_mask_axis(const Tensor& x) {
  return x.has_mask() && x.mask().rank() > 2 ? x.mask().rank() - 1 : 1;
}

void one_batch(const Tensors& inputs) {
  for (const auto& x : inputs) {
    if (x.rank() > 0 && fits(x.shape()[0], inputs[0].shape()[0])) continue;
    fail<ShapeError>(detail::layer_title(),
                     "inputs are {} and {}; expected [batch, ...], with the same batch",
                     inputs[0].describe(), x.describe());
  }
}

void has_features(const Tensor& x) {
  if (x.rank() >= 2 && x.shape().back() != any) return;
  fail<ShapeError>(detail::layer_title(),
                   "input is {}; expected [batch, ..., features] with a known "
                   "number of features",
                   x.describe());
}

void features(const Tensor& x, std::int64_t size) {
  if (x.rank() >= 1 && fits(x.shape().back(), size)) return;
  fail<ShapeError>(detail::layer_title(),
                   "input is {}; its last axis must be {}, as the weights were "
                   "made for. Give it such an input, or build a new model for this one",
                   x.describe(), size);
}

void layer_rank(const Tensor& x, int rank, std::string_view layout) {
  if (x.rank() == rank) return;
  fail<ShapeError>(detail::layer_title(), "input is {} with {} axes; expected {}, {}", x.describe(),
                   x.rank(), rank, layout);
}

}  // namespace maskgrad::check
