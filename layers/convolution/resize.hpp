#pragma once

#include <maskgrad/layers/convolution/window_layers.hpp>

namespace maskgrad {

namespace detail {

/// Numbers of steps at the two ends of a sequence; one number is for both.
struct BothEnds {
  constexpr BothEnds(std::int64_t each) : BothEnds(each, each) {}
  constexpr BothEnds(std::int64_t start_, std::int64_t end_) : start(start_), end(end_) {}
  std::int64_t start, end;
};
/// An integer, or an array of two; written as the array.
void read_option(extend::OptionReader& reader, extend::OptionName name, BothEnds& value);
void write_option(extend::OptionWriter& writer, extend::OptionName name, const BothEnds& value);

}  // namespace detail

struct UpSampling1DOptions {
  std::int64_t size = 2;  ///< times that each step comes
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("size", o.size);
    f("name", o.name);
  }
};

/// Each step `size` times: a b -> a a b b.
/// Shapes:   x [batch, time, features] -> [batch, time * size, features].
/// Mask:     unsupported over time. Under [batch] it stays inside a row and propagates.
/// Gradient: the sum over a step's copies.
/// Throws:   MaskError, ShapeError, OptionError.
/// Source:   Keras 3, UpSampling1D.
/// Example:  mg::UpSampling1D{{.size = 3}}(padded);  // [4, 15, 3]
class UpSampling1D {
 public:
  using Options = UpSampling1DOptions;
  static constexpr std::string_view kind = "UpSampling1D";
  static constexpr MaskContract contract = detail::refuses_steps(
      "it repeats steps by their positions, padding like any other",
      "UpSampling1D before Masking, which then marks the longer padding · x.drop_mask(\"why\") to "
      "repeat the padding as data",
      "warns that it destroys the mask, and repeats the padding");

  explicit UpSampling1D(UpSampling1DOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
};

struct ZeroPadding1DOptions {
  detail::BothEnds padding = 1;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("padding", o.padding);
    f("name", o.name);
  }
};

/// Steps of zeros put before and after.
/// Shapes:   x [batch, time, features] -> [batch, padding.start + time + padding.end, features].
/// Mask:     unsupported over time. Under [batch] it stays inside a row and propagates.
/// Gradient: dy without the ends.
/// Throws:   MaskError, ShapeError, OptionError for a number below 0.
/// Source:   Keras 3, ZeroPadding1D.
/// Example:  mg::ZeroPadding1D{{.padding = {2, 1}}}(padded);  // [4, 8, 3]: 2 before, 1 behind
class ZeroPadding1D {
 public:
  using Options = ZeroPadding1DOptions;
  static constexpr std::string_view kind = "ZeroPadding1D";
  static constexpr MaskContract contract = detail::refuses_steps(
      "zeros put around the padding are not at the ends of the sequences",
      "MaskedConv1D with .padding same or causal, which sees zeros at each sequence's own ends · "
      "ZeroPadding1D before Masking · x.drop_mask(\"why\") to keep the padding as data",
      "warns that it destroys the mask, and keeps the padding");

  explicit ZeroPadding1D(ZeroPadding1DOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
};

struct Cropping1DOptions {
  detail::BothEnds cropping = 1;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("cropping", o.cropping);
    f("name", o.name);
  }
};

/// Steps taken away before and after.
/// Shapes:   x [batch, time, features] -> [batch, time - cropping.start - cropping.end, features].
/// Mask:     unsupported over time. Under [batch] it stays inside a row and propagates.
/// Gradient: dy, with zeros at the ends.
/// Throws:   MaskError; ShapeError where there are fewer steps; OptionError for a number below 0.
/// Source:   Keras 3, Cropping1D.
/// Example:  mg::Cropping1D{{.cropping = {1, 0}}}(padded);  // [4, 4, 3]: without the first step
class Cropping1D {
 public:
  using Options = Cropping1DOptions;
  static constexpr std::string_view kind = "Cropping1D";
  static constexpr MaskContract contract = detail::refuses_steps(
      "it cuts by position, so it would take padding from one sequence and steps from another",
      "Cropping1D before Masking · slice(x, 1, start, stop), which cuts the mask too, by position "
      "· "
      "x.drop_mask(\"why\") to cut the padding as data",
      "warns that it destroys the mask, and cuts by position");

  explicit Cropping1D(Cropping1DOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
};

}  // namespace maskgrad
