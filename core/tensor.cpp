#include <maskgrad/core/tensor.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad {

const Tensor::Impl& Tensor::checked() const {
  if (!impl_) fail<StateError>("Tensor", "it is empty (default-made); give it a value first");
  return impl();
}

const Shape& Tensor::shape() const {
  return checked().shape;
}
DType Tensor::dtype() const {
  return checked().dtype;
}
const Mask& Tensor::mask() const {
  return checked().mask;
}
bool Tensor::is_meta() const {
  return checked().meta;
}
std::int64_t Tensor::size(int axis) const {
  return shape()[extend::normal_axis("size", axis, shape())];
}

namespace {

void check_has_data(std::string_view where, const Tensor& x) {
  if (x.is_meta()) {
    fail<StateError>(where,
                     "{} is a meta tensor: a shape without data, as models are built from; "
                     "read values of tensors that were made from data",
                     x.describe());
  }
}

double read(const Tensor& x, std::int64_t at) {
  return extend::dispatch(x.dtype(), [&]<class T>() {
    return static_cast<double>(rows::of<T>(x)[static_cast<std::size_t>(at)]);
  });
}

}  // namespace

double Tensor::item() const {
  check_has_data("item", *this);
  if (shape().count() != 1) {
    fail<ShapeError>("item", "{} has {} values; expected one. Use item({{i, j}}) or to_vector()",
                     describe(), shape().count());
  }
  if (mask() && mask().valid() == 0) {
    fail<MaskError>("item",
                    "{}: its only position is not valid, so there is no value (the mean or "
                    "maximum of nothing does not exist)",
                    describe());
  }
  return read(*this, 0);
}

double Tensor::item(std::initializer_list<std::int64_t> index) const {
  check_has_data("item", *this);
  if (static_cast<int>(index.size()) != rank()) {
    fail<ShapeError>("item", "{} indices for {}; expected one for each axis", index.size(),
                     describe());
  }
  const int mask_axes = rows::mask_rank(*this);
  std::int64_t position = 0, inner = 0;
  int axis = 0;
  for (auto i : index) {
    const auto size = shape()[axis];
    if (i < 0 || i >= size) {
      fail<IndexError>("item", "index {} on axis {} of {}; expected 0 to {}", i, axis, describe(),
                       size - 1);
    }
    auto& part = axis < mask_axes ? position : inner;
    part = part * size + i;
    ++axis;
  }
  if (!mask()) return read(*this, inner);
  const auto row = mask().impl().row_of()[position];
  if (row < 0) {
    fail<MaskError>("item", "position [{}] of {} is not valid, so it has no value",
                    fmt::join(index, ", "), describe());
  }
  return read(*this, row * rows::inner(*this) + inner);
}

template <extend::Element T>
std::vector<T> Tensor::to_vector(T fill) const {
  check_has_data("to_vector", *this);
  if (dtype() != dtype_of<T>()) {
    fail<TypeError>("to_vector", "{} read as {}; read it as its own type, or cast it first",
                    describe(), name(dtype_of<T>()));
  }
  const auto values = rows::of<T>(*this);
  if (!mask()) {
    auto all = checked::vector<T>("to_vector", static_cast<std::int64_t>(values.size()));
    std::copy(values.begin(), values.end(), all.begin());
    return all;
  }
  auto dense = checked::vector<T>("to_vector", shape().count(), fill);
  const auto inner = rows::inner(*this);
  std::int64_t row = 0;
  for (auto p : mask().impl().positions) {
    std::copy_n(values.begin() + row++ * inner, inner, dense.begin() + p * inner);
  }
  return dense;
}

std::string Tensor::describe() const {
  if (!defined()) return "an empty tensor";
  std::string text = fmt::format("{}{}", name(dtype()), shape());
  if (mask()) {
    text += fmt::format(", {}mask {} made by {}", masks::is_possible(mask()) ? "possible " : "",
                        mask().shape(), mask().origin());
  }
  return text;
}

template <extend::Element T>
Tensor tensor(std::span<const T> values, const Shape& shape) {
  if (shape.count() != static_cast<std::int64_t>(values.size())) {
    fail<ShapeError>("tensor", "{} values for the shape {}, which has {} positions", values.size(),
                     shape, shape.count());
  }
  Tensor x = rows::make(shape, dtype_of<T>());
  std::copy(values.begin(), values.end(), rows::of_mutable<T>(x).begin());
  return x;
}

Tensor full(const Shape& shape, double value, DType dtype) {
  if (dtype == DType::i64 && !(value > -0x1p63 && value < 0x1p63)) {
    fail<TypeError>("full", "the value {} does not fit i64", value);
  }
  Tensor x = rows::make(shape, dtype);
  extend::dispatch(dtype, [&]<class T>() {
    const auto values = rows::of_mutable<T>(x);
    std::fill(values.begin(), values.end(), static_cast<T>(value));
  });
  return x;
}

Tensor scalar(double value, DType dtype) {
  return full({}, value, dtype);
}
Tensor zeros(const Shape& shape, DType dtype) {
  return full(shape, 0, dtype);
}
Tensor ones(const Shape& shape, DType dtype) {
  return full(shape, 1, dtype);
}

Tensor zeros_like(const Tensor& x) {
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  return rows::make_zeros(x.shape(), x.dtype(), x.mask());
}
Tensor ones_like(const Tensor& x) {
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const Tensor y = rows::make(x.shape(), x.dtype(), x.mask());
  extend::dispatch(x.dtype(), [&]<class T>() { std::ranges::fill(rows::of_mutable<T>(y), T(1)); });
  return y;
}
Tensor arange(std::int64_t count, DType dtype) {
  Tensor x = rows::make({count}, dtype);
  extend::dispatch(dtype, [&]<class T>() {
    std::int64_t i = 0;
    for (auto& v : rows::of_mutable<T>(x)) v = static_cast<T>(i++);
  });
  return x;
}

template <extend::Element T>
Tensor from_sequences(const std::vector<std::vector<T>>& sequences, const Shape& step) {
  const auto width = step.count();
  std::vector<std::int64_t> lengths;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const auto values = static_cast<std::int64_t>(sequences[s].size());
    if (width == 0 || values % width != 0) {
      fail<ShapeError>("from_sequences",
                       "sequence {} has {} values; expected a whole number of steps of {} ({})", s,
                       values, step, width);
    }
    lengths.push_back(values / width);
  }
  const Mask mask = Mask::from_lengths(lengths);
  Tensor x = rows::make(mask.shape() + step, dtype_of<T>(), mask);
  auto to = rows::of_mutable<T>(x).begin();
  for (const auto& sequence : sequences) to = std::copy(sequence.begin(), sequence.end(), to);
  return x;
}

namespace rows {

Shape inner_shape(const Tensor& x) {
  return x.shape().sub(mask_rank(x), x.rank());
}

namespace {
detail::Ref<Tensor::Impl> make_impl(const Shape& shape, DType dtype, const Mask& mask) {
  auto impl = detail::make_ref<Tensor::Impl>();
  impl->shape = shape;
  impl->dtype = dtype;
  impl->mask = mask;
  return impl;
}
}  // namespace

Tensor make(const Shape& shape, DType dtype, const Mask& mask) {
  auto impl = make_impl(shape, dtype, mask);
  impl->rows = mask ? mask.valid() : 1;
  impl->inner = shape.count(mask ? mask.rank() : 0, shape.rank());
  const auto bytes =
      checked::product("memory", "the values under a mask", {impl->rows, impl->inner}) *
      static_cast<std::int64_t>(size_of(dtype));
  try {
    impl->storage = extend::Storage(bytes);
  } catch (const MemoryError&) {
    checked::refuse_memory("memory", fmt::format("{}{}", name(dtype), shape), bytes);
  }
  return Tensor(detail::Ref<const detail::Counted>(impl));
}

Tensor make_zeros(const Shape& shape, DType dtype, const Mask& mask) {
  Tensor x = make(shape, dtype, mask);
  std::fill_n(x.impl().storage.data(), x.impl().storage.bytes(), std::byte{0});
  return x;
}

Tensor make_meta(const Shape& shape, DType dtype, const Mask& mask) {
  auto impl = make_impl(shape, dtype, mask);
  impl->meta = true;
  impl->rows = impl->inner = 0;
  return Tensor(detail::Ref<const detail::Counted>(impl));
}

Tensor share(const Tensor& x, const Shape& shape, const Mask& mask) {
  auto impl = make_impl(shape, x.dtype(), mask);
  impl->rows = mask ? mask.valid() : 1;
  impl->inner = shape.count(mask ? mask.rank() : 0, shape.rank());
  impl->storage = x.impl().storage;
  return Tensor(detail::Ref<const detail::Counted>(impl));
}

Tensor stored(const Tensor& x) {
  if (!x.mask()) return x.value();
  return share(x, Shape{count(x)} + inner_shape(x), {});
}

}  // namespace rows

template std::vector<float> Tensor::to_vector<float>(float) const;
template std::vector<double> Tensor::to_vector<double>(double) const;
template std::vector<std::int64_t> Tensor::to_vector<std::int64_t>(std::int64_t) const;
template std::vector<bool> Tensor::to_vector<bool>(bool) const;
template Tensor tensor<float>(std::span<const float>, const Shape&);
template Tensor tensor<double>(std::span<const double>, const Shape&);
template Tensor tensor<std::int64_t>(std::span<const std::int64_t>, const Shape&);
template Tensor tensor<bool>(std::span<const bool>, const Shape&);
template Tensor from_sequences<float>(const std::vector<std::vector<float>>&, const Shape&);
template Tensor from_sequences<double>(const std::vector<std::vector<double>>&, const Shape&);
template Tensor from_sequences<std::int64_t>(const std::vector<std::vector<std::int64_t>>&,
                                             const Shape&);

}  // namespace maskgrad
