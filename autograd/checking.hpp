#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <maskgrad/autograd/tape.hpp>
#include <maskgrad/core/random.hpp>

/// What gradcheck and the laws have in common.
namespace maskgrad::checking {

/// Index in the padded shape of stored value `i`.
std::vector<std::int64_t> padded_index(const Tensor& x, std::int64_t i);
/// `x[2, 0, 1]`.
std::string place(const std::string& name, const std::vector<std::int64_t>& index);
/// Whether shape, type, mask and stored bytes are the same.
bool identical(const Tensor& a, const Tensor& b);
bool same_layout(const Tensor& a, const Tensor& b);
/// Stored value `i` as a number.
double value_at(const Tensor& x, std::int64_t i);
/// A tensor like `x` whose stored values are f(i), in the type of `x`.
template <class F>
Tensor like(const Tensor& x, F&& f) {
  const Tensor y = rows::make(x.shape(), x.dtype(), x.mask());
  extend::dispatch_real("like", x.dtype(), [&]<class T>() {
    std::int64_t i = 0;
    for (auto& v : rows::of_mutable<T>(y)) v = static_cast<T>(f(i++));
  });
  return y;
}
/// Backward from all results that are on the tape, with these weights; those of others are unused.
void pull(const std::vector<Tensor>& results, const std::vector<Tensor>& weights);

}  // namespace maskgrad::checking
