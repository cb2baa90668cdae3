#pragma once

#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

namespace detail {

/// What a layer does that counts a sequence's valid steps.
inline constexpr MaskContract positions_contract{
    .role = MaskRole::supports,
    .why = "a step's position is its rank among the sequence's valid steps",
    .sample_role = MaskRole::propagates,
    .full_role = MaskRole::unsupported,
    .ways_out = detail::mask_whole_steps,
    .keras = "has none; KerasHub's count the padding before a step"};
/// Of the turns of pairs of features.
std::vector<double> rotary_frequencies(std::int64_t features, double max_wavelength);
/// OptionError unless it is a finite number above 0.
void check_wavelength(std::string_view kind, double rotary_max_wavelength);
/// OptionError unless an attention layer's heads of size `dim` can be turned.
void check_rotary(std::string_view kind, std::string_view option, std::int64_t dim,
                  double max_wavelength);
inline constexpr TimeContract positions_time{.state = "the number of steps so far"};

}  // namespace detail

struct SinePositionEncodingOptions {
  double max_wavelength = 10000;
  std::int64_t start_index = 0;  ///< the position of a sequence's first step
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("max_wavelength", o.max_wavelength);
    f("start_index", o.start_index);
    f("name", o.name);
  }
};

/// What to add to x so that it knows its positions: sines and cosines of many wavelengths.
///   y[p, 2 i] = sin(p / max_wavelength^(2 i / features)), y[p, 2 i + 1] = the cosine of the same
/// Shapes:   x [batch, time, features] -> the same; x gives shape, type and mask alone.
/// Mask:     supports: p is a step's rank among its sequence's valid steps.
/// Gradient: none.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Vaswani et al. 2017; KerasHub, SinePositionEncoding.
/// Example:  mg::SinePositionEncoding encoding;
///           x = x + encoding(x);
class SinePositionEncoding {
 public:
  using Options = SinePositionEncodingOptions;
  static constexpr std::string_view kind = "SinePositionEncoding";
  static constexpr MaskContract contract = detail::positions_contract;
  static constexpr TimeContract time = detail::positions_time;

  explicit SinePositionEncoding(SinePositionEncodingOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  SinePositionEncodingOptions options_;
};

struct PositionEmbeddingOptions {
  std::int64_t sequence_length;  ///< the most valid steps of a sequence
  Initializer initializer = "glorot_uniform";
  std::int64_t start_index = 0;  ///< the position of a sequence's first step
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("sequence_length"), o.sequence_length);
    f("initializer", o.initializer);
    f("start_index", o.start_index);
    f("name", o.name);
  }
};

/// What to add to x so that it knows its positions: a learned vector for each.
/// Shapes:   x [batch, time, features] -> the same; embeddings [sequence_length, features].
/// Mask:     supports: a position is a step's rank among its sequence's valid steps.
/// Gradient: of the embeddings: the sum of dy at their positions; none of x.
/// Throws:   OptionError; ShapeError, also for a sequence with more valid steps; MaskError.
/// Source:   KerasHub, PositionEmbedding.
/// Example:  mg::PositionEmbedding encoding{{.sequence_length = 100}};
///           mg::build(encoding, spec);
///           x = x + encoding(x);
class PositionEmbedding {
 public:
  using Options = PositionEmbeddingOptions;
  static constexpr std::string_view kind = "PositionEmbedding";
  static constexpr MaskContract contract = detail::positions_contract;
  static constexpr TimeContract time = detail::positions_time;

  explicit PositionEmbedding(PositionEmbeddingOptions options);
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("embeddings", self.embeddings_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  PositionEmbeddingOptions options_;
  Parameter embeddings_;
};

struct RotaryEmbeddingOptions {
  double max_wavelength = 10000;
  double scaling_factor = 1;     ///< positions are divided by it
  std::int64_t start_index = 0;  ///< the position of a sequence's first step
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("max_wavelength", o.max_wavelength);
    f("scaling_factor", o.scaling_factor);
    f("start_index", o.start_index);
    f("name", o.name);
  }
};

/// Queries or keys turned by their positions, so that products of the two know how far apart they
/// stand: rotate_by_position with the frequencies max_wavelength^(-2 i / features).
/// Shapes:   x [batch, time, features] or [batch, time, heads, features] -> the same; an even
///           number of features.
/// Mask:     supports: a position is a step's rank among its sequence's valid steps.
/// Gradient: dy turned back.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Su et al. 2021; KerasHub, RotaryEmbedding.
/// Example:  mg::RotaryEmbedding rotate;
///           rotate(heads);  // [4, 5, 2, 4], then attention
class RotaryEmbedding {
 public:
  using Options = RotaryEmbeddingOptions;
  static constexpr std::string_view kind = "RotaryEmbedding";
  static constexpr MaskContract contract = detail::positions_contract;
  static constexpr TimeContract time = detail::positions_time;

  explicit RotaryEmbedding(RotaryEmbeddingOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  RotaryEmbeddingOptions options_;
};

}  // namespace maskgrad
