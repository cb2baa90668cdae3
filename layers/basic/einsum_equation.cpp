#include <maskgrad/layers/basic/einsum_equation.hpp>

#include <algorithm>
#include <cctype>

namespace maskgrad::detail {
namespace {

constexpr std::string_view kind = "EinsumDense";
constexpr std::string_view dots = "...";

bool has(const std::string& letters, char c) {
  return letters.find(c) != std::string::npos;
}

bool are_letters(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isalpha(c) != 0; });
}

[[noreturn]] void refuse(const std::string& text) {
  fail<OptionError>(kind,
                    "the option .equation is \"{}\"; expected letters for input, weights and "
                    "result, as \"abc,cd->abd\", with \"...\" at most at the same end of input and "
                    "result, and the batch first in both",
                    text);
}

std::int64_t size_at(const std::string& letters, const Shape& shape, char c) {
  return shape[static_cast<int>(letters.find(c))];
}

}  // namespace

EinsumEquation::EinsumEquation(const std::string& text) : text_(text) {
  std::string all = text;
  all.erase(std::remove(all.begin(), all.end(), ' '), all.end());
  const auto comma = all.find(','), arrow = all.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || arrow < comma) refuse(text);
  input_ = all.substr(0, comma);
  weights_ = all.substr(comma + 1, arrow - comma - 1);
  result_ = all.substr(arrow + 2);
  if (input_.starts_with(dots) && result_.starts_with(dots)) {
    dots_ = Dots::front;
    input_.erase(0, dots.size());
    result_.erase(0, dots.size());
  } else if (input_.ends_with(dots) && result_.ends_with(dots)) {
    dots_ = Dots::back;
    input_.resize(input_.size() - dots.size());
    result_.resize(result_.size() - dots.size());
  }
  if (!are_letters(input_) || !are_letters(weights_) || !are_letters(result_)) refuse(text);
  const bool batch = input_[0] == result_[0] && !has(weights_, input_[0]);
  if (dots_ != Dots::front && !batch) refuse(text);
  for (const char c : result_ + weights_) {
    if (has(input_, c) || (has(result_, c) && has(weights_, c))) continue;
    fail<OptionError>(kind, "'{}' stands in one group of \"{}\" alone; expected it in two", c,
                      text);
  }
}

EinsumEquation EinsumEquation::of(const Tensor& x) const {
  const auto more = x.rank() - static_cast<int>(input_.size());
  if (more < 0 || (more > 0 && dots_ == Dots::none)) {
    fail<ShapeError>(kind, "input is {} with {} axes; \"{}\" names {}", x.describe(), x.rank(),
                     text_, input_.size());
  }
  EinsumEquation whole = *this;
  for (char c = 'a'; static_cast<int>(whole.dots_letters_.size()) < more; ++c) {
    if (!has(input_ + weights_ + result_, c)) whole.dots_letters_ += c;
  }
  const auto& letters = whole.dots_letters_;
  whole.input_ = dots_ == Dots::front ? letters + input_ : input_ + letters;
  whole.result_ = dots_ == Dots::front ? letters + result_ : result_ + letters;
  if (!whole.passes(0)) refuse(text_);  // "..." that stands for nothing
  return whole;
}

Shape EinsumEquation::result(const Tensor& x, const std::vector<std::int64_t>& given) const {
  const auto named = std::count_if(result_.begin() + 1, result_.end(),
                                   [this](char c) { return !has(dots_letters_, c); });
  if (static_cast<std::int64_t>(given.size()) != named) {
    fail<OptionError>(kind,
                      "the option .output_shape has {} sizes for \"{}\"; expected one for each "
                      "letter of the result behind the batch",
                      given.size(), text_);
  }
  Shape shape;
  auto next = given.begin();
  for (const char c : result_) {
    const bool own = shape.rank() > 0 && !has(dots_letters_, c);
    const auto size = own ? *next++ : any;
    const auto there = has(input_, c) ? size_at(input_, x.shape(), c) : size;
    if (!fits(size, there)) {
      fail<OptionError>(kind,
                        "the option .output_shape gives '{}' of \"{}\" the size {}; it is {} in {}",
                        c, text_, size, there, x.describe());
    }
    if (!has(input_, c) && size < 1) {
      fail<OptionError>(kind,
                        "the option .output_shape gives '{}' of \"{}\" no size; expected 1 or more",
                        c, text_);
    }
    shape.push_back(there == any ? size : there);
  }
  return shape;
}

Shape EinsumEquation::weights(const Tensor& x, const Shape& result) const {
  Shape shape;
  for (const char c : weights_) {
    shape.push_back(has(input_, c) ? size_at(input_, x.shape(), c) : size_at(result_, result, c));
  }
  return shape;
}

Shape EinsumEquation::bias(const std::string& axes, const Shape& result) const {
  std::size_t first = result_.size();
  for (const char c : axes) {
    const auto at = result_.find(c);
    if (at == std::string::npos || at == 0 || has(dots_letters_, c)) {
      fail<OptionError>(kind,
                        "the option .bias_axes is \"{}\"; expected letters of the result in "
                        "\"{}\" behind the batch",
                        axes, text_);
    }
    first = std::min(first, at);
  }
  Shape shape;
  for (auto i = first; i < result_.size(); ++i) {
    shape.push_back(has(axes, result_[i]) ? result[static_cast<int>(i)] : 1);
  }
  return shape;
}

bool EinsumEquation::passes(int axis) const {
  const auto at = static_cast<std::size_t>(axis);
  return at < result_.size() && input_[at] == result_[at] && !has(weights_, input_[at]);
}

}  // namespace maskgrad::detail
