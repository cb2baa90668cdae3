#include <maskgrad/layers/check.hpp>

#include <fmt/format.h>

namespace maskgrad::check {
namespace {

std::string title(const LayerInfo& info, std::string_view kind) {
  return fmt::format("{} '{}'", kind, info.path);
}

}  // namespace

void at_least(std::string_view kind, std::string_view option, std::int64_t value,
              std::int64_t least) {
  if (value >= least) return;
  fail<OptionError>(kind, "the option .{} is {}; expected {} or more", option, value, least);
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

void has_features(const LayerInfo& info, std::string_view kind, const Tensor& x) {
  if (x.rank() >= 2 && x.shape().back() != any) return;
  fail<ShapeError>(title(info, kind),
                   "input is {}; expected [batch, ..., features] with a known "
                   "number of features",
                   x.describe());
}

void features(const LayerInfo& info, std::string_view kind, const Tensor& x, std::int64_t size) {
  if (x.rank() >= 1 && fits(x.shape().back(), size)) return;
  fail<ShapeError>(title(info, kind),
                   "input is {}; its last axis must be {}, as the weights were "
                   "made for. Give it such an input, or build a new model for this one",
                   x.describe(), size);
}

void layer_rank(const LayerInfo& info, std::string_view kind, const Tensor& x, int rank,
                std::string_view layout) {
  if (x.rank() == rank) return;
  fail<ShapeError>(title(info, kind), "input is {} with {} axes; expected {}, {}", x.describe(),
                   x.rank(), rank, layout);
}

}  // namespace maskgrad::check
