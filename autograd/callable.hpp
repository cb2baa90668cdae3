#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/core/null_function.hpp>

namespace maskgrad {

/// What gradcheck and the laws call: tensors in, tensors out. Made from anything that takes a
/// vector of tensors, or one tensor, and returns a tensor or a vector of them. All calls draw the
/// same noise.
class Callable {
 public:
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Callable> &&
           (std::is_invocable_v<F&, const std::vector<Tensor>&> ||
            std::is_invocable_v<F&, const Tensor&>)) Callable(F f) {
    detail::require_function("Callable", f);
    call_ = [f = std::move(f)](const std::vector<Tensor>& x) mutable -> std::vector<Tensor> {
      if constexpr (std::is_invocable_v<F&, const std::vector<Tensor>&>) {
        return many(f(x));
      } else {
        if (x.empty()) fail<ShapeError>("Callable", "no inputs; expected one");
        return many(f(x[0]));
      }
    };
  }
  std::vector<Tensor> operator()(const std::vector<Tensor>& inputs) const {
    const NoiseScope same;
    return call_(inputs);
  }

 private:
  static std::vector<Tensor> many(const Tensor& y) { return {y}; }
  static std::vector<Tensor> many(std::vector<Tensor> y) { return y; }
  std::function<std::vector<Tensor>(const std::vector<Tensor>&)> call_;
};

/// Values that a check moves and whose gradient it reads: an input, or a parameter that the
/// callable holds.
struct Variable {
  std::string name;
  Tensor value;
  /// Puts `value` in place and forgets its gradient; `wanted`: whether it gathers a new one.
  std::function<void(const Tensor& value, bool wanted)> set;
  /// The gradient gathered since `set`; undefined where nothing reached it.
  std::function<Tensor()> grad;
  /// The values as f reads them now, for second derivatives by it; none: there are no such.
  std::function<Tensor()> tensor = nullptr;
};

/// A parameter as a variable. After a check it has its values back, and no gradient.
Variable variable_of(const Parameter& parameter);

}  // namespace maskgrad
