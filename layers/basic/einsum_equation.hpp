#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad::detail {

/// EinsumDense's equation: the letters of the axes of input, weights and result. "..." at the
/// beginning or the end of input and result stands for axes that are passed on.
class EinsumEquation {
 public:
  /// OptionError where it cannot be read.
  explicit EinsumEquation(const std::string& text);

  /// The same with letters for "..." in an input of `rank` axes; ShapeError where it has too few.
  EinsumEquation of(const Tensor& x) const;

  // Of one without "...", as `of` gives it:

  /// The shape of the result, of which `given` are the sizes behind batch without those of "...";
  /// mg::any where a size is the input's. OptionError where they do not fit x.
  Shape result(const Tensor& x, const std::vector<std::int64_t>& given) const;
  /// The shape of the weights.
  Shape weights(const Tensor& x, const Shape& result) const;
  /// The shape of a bias along `axes`, aligned at the last axis of the result; OptionError.
  Shape bias(const std::string& axes, const Shape& result) const;
  /// Whether axis `axis` of the input stands at its place in the result, and in no weight.
  bool passes(int axis) const;
  char letter(int axis) const { return input_[static_cast<std::size_t>(axis)]; }
  /// As `einsum` reads it.
  std::string formula() const { return input_ + "," + weights_ + "->" + result_; }
  const std::string& text() const { return text_; }

 private:
  enum class Dots { none, front, back };

  std::string text_, input_, weights_, result_;
  Dots dots_ = Dots::none;
  std::string dots_letters_;  ///< what "..." became
};

}  // namespace maskgrad::detail
