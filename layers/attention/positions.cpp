#include <maskgrad/layers/attention/positions.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/ops/sequence/positions.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/layer/so_far.hpp>

namespace maskgrad {
namespace {

void check_above_zero(std::string_view kind, std::string_view option, double value) {
  if (value > 0 && std::isfinite(value)) return;
  fail<OptionError>(kind, "the option .{} is {}; expected a number above 0", option, value);
}

/// The position behind the last one.
std::int64_t end_of(const Tensor& at) {
  const auto steps = rows::of<std::int64_t>(at);
  return steps.empty() ? 0 : *std::max_element(steps.begin(), steps.end()) + 1;
}

}  // namespace

std::vector<double> detail::rotary_frequencies(std::int64_t features, double max_wavelength) {
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < features / 2; ++i) {
    const double part = 2 * static_cast<double>(i) / static_cast<double>(features);
    frequencies.push_back(std::pow(max_wavelength, -part));
  }
  return frequencies;
}

void detail::check_wavelength(std::string_view kind, double rotary_max_wavelength) {
  check_above_zero(kind, "rotary_max_wavelength", rotary_max_wavelength);
}

void detail::check_rotary(std::string_view kind, std::string_view option, std::int64_t dim,
                          double max_wavelength) {
  check_wavelength(kind, max_wavelength);
  if (dim % 2 == 0) return;
  fail<OptionError>(kind,
                    "the option .{} is {} with .rotary_max_wavelength; expected an even number",
                    option, dim);
}

SinePositionEncoding::SinePositionEncoding(SinePositionEncodingOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check_above_zero(kind, "max_wavelength", options_.max_wavelength);
}

Tensor SinePositionEncoding::forward(const Tensor& x) const {
  check::layer_rank(x, 3, "[batch, time, features]");
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const auto features = x.shape()[2];
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < features; i += 2) {
    const double part = static_cast<double>(i) / static_cast<double>(features);
    frequencies.push_back(std::pow(options_.max_wavelength, -part));
  }
  return sine_positions(x, frequencies, detail::positions_so_far(x, options_.start_index));
}

PositionEmbedding::PositionEmbedding(PositionEmbeddingOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::at_least(kind, "sequence_length", options_.sequence_length, 1);
  check::at_least(kind, "start_index", options_.start_index, 0);
}

void PositionEmbedding::build(const Tensor& x, Builder& builder) {
  check::layer_rank(x, 3, "[batch, time, features]");
  check::has_features(x);
  embeddings_ =
      builder.weight("embeddings", {options_.sequence_length, x.shape()[2]}, options_.initializer);
}

Tensor PositionEmbedding::forward(const Tensor& x) const {
  check::layer_rank(x, 3, "[batch, time, features]");
  check::features(x, embeddings_.shape()[1]);
  const Tensor at = detail::positions_so_far(x, options_.start_index);
  const auto steps = x.has_mask() || x.shape()[1] == any ? 0 : x.shape()[1];
  const auto end = at.is_meta() ? options_.start_index + steps : end_of(at);
  if (end > options_.sequence_length) {
    fail<ShapeError>(kind,
                     "input {} has a sequence of {} steps, from position {}; expected at most {} "
                     "positions. Cut the sequences, or make the layer with a .sequence_length of "
                     "{} or more",
                     x.describe(), end - options_.start_index, options_.start_index,
                     options_.sequence_length, end);
  }
  return take(embeddings_, at);
}

RotaryEmbedding::RotaryEmbedding(RotaryEmbeddingOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check_above_zero(kind, "max_wavelength", options_.max_wavelength);
  check_above_zero(kind, "scaling_factor", options_.scaling_factor);
}

Tensor RotaryEmbedding::forward(const Tensor& x) const {
  check::has_features(x);
  const auto features = x.shape().back();
  if (x.rank() < 3 || x.rank() > 4 || features % 2 != 0) {
    fail<ShapeError>(kind,
                     "input is {}; expected [batch, time, features] or [batch, time, heads, "
                     "features], with an even number of features",
                     x.describe());
  }
  auto frequencies = detail::rotary_frequencies(features, options_.max_wavelength);
  for (double& f : frequencies) f /= options_.scaling_factor;
  return rotate_by_position(x, frequencies, detail::positions_so_far(x, options_.start_index));
}

}  // namespace maskgrad
