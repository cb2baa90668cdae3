#pragma once

#include <span>

#include <maskgrad/core/mask_rows.hpp>
#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// What a tensor stores: [valid rows, inner axes] under a mask, the whole shape without.
struct Tensor::Impl : detail::Counted {
  Shape shape;
  DType dtype = DType::f32;
  bool meta = false;
  Mask mask;
  extend::Storage storage;
  std::int64_t rows = 1;   ///< valid rows; 1 without a mask
  std::int64_t inner = 1;  ///< values of a row
};

inline const Tensor::Impl& Tensor::impl() const {
  return static_cast<const Impl&>(*impl_);
}

/// Rows and values as kernels and operations see them; not for users of tensors.
namespace rows {

inline std::int64_t count(const Tensor& x) {
  return x.impl().rows;
}
inline std::int64_t inner(const Tensor& x) {
  return x.impl().inner;
}
/// Number of stored values.
inline std::int64_t total(const Tensor& x) {
  return x.impl().rows * x.impl().inner;
}
inline int mask_rank(const Tensor& x) {
  return x.impl().mask ? x.impl().mask.rank() : 0;
}
/// The axes behind the mask; all where there is none.
Shape inner_shape(const Tensor& x);

template <extend::Element T>
std::span<const T> of(const Tensor& x) {
  return {reinterpret_cast<const T*>(x.impl().storage.data()), static_cast<std::size_t>(total(x))};
}
/// The same where the tensor may be undefined, which has none.
template <extend::Element T>
const T* data_or_null(const Tensor& x) {
  return x.defined() ? of<T>(x).data() : nullptr;
}
/// For a tensor that was just made, before anyone else sees it, and for parameters.
template <extend::Element T>
std::span<T> of_mutable(const Tensor& x) {
  return {reinterpret_cast<T*>(x.impl().storage.data()), static_cast<std::size_t>(total(x))};
}

/// A new tensor, values not initialized. The mask's shape must be a prefix of `shape`.
Tensor make(const Shape& shape, DType dtype, const Mask& mask = {});
/// The same with zeros.
Tensor make_zeros(const Shape& shape, DType dtype, const Mask& mask = {});
/// A tensor without data; the mask may be without data too.
Tensor make_meta(const Shape& shape, DType dtype, const Mask& mask = {});
/// The stored values of `x` under another shape and mask with the same number of each.
Tensor share(const Tensor& x, const Shape& shape, const Mask& mask);
/// [inner...] or [valid, inner...]: the stored array itself as an unmasked tensor.
Tensor stored(const Tensor& x);

}  // namespace rows
}  // namespace maskgrad
