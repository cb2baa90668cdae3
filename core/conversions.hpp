#pragma once

#include <maskgrad/core/tensor.hpp>

/// Data in and out in types that tensors do not have, and as sequences.
namespace maskgrad {

/// Whole numbers of 32 bits, as i64.
/// Example:  mg::tensor({1, 2, 3, 4}, {2, 2});  // i64[2, 2]
Tensor tensor(std::span<const std::int32_t> values, const Shape& shape);
Tensor tensor(const std::vector<std::int32_t>& values, const Shape& shape);
Tensor tensor(std::initializer_list<std::int32_t> values, const Shape& shape);

namespace extend {
template <class T>
concept Convertible = Element<T> || std::is_same_v<T, std::int32_t>;
}

/// All values in order as T (int, int64_t, float, double or bool), dense; `fill` stands where the
/// mask is false. Reals are rounded to narrower ones.
/// Throws:   TypeError, naming the first, where a value is none of T: a fraction or one that is too
///           large for whole numbers, another one than 0 and 1 for bool.
/// Example:  mg::values_as<int>(labels, -1);
template <extend::Convertible T>
std::vector<T> values_as(const Tensor& x, T fill = T{});

/// The valid steps of each sequence of x [sequences, steps...], one after the other: what
/// `from_sequences` was given. Without a mask all steps.
/// Shapes:   x [sequences, steps, step...] -> for each sequence its steps times the values of one.
/// Mask:     [sequences, steps]; holes and left padding are left out.
/// Throws:   ShapeError for fewer than two axes; MaskError for a mask over other axes; TypeError
///           where T is not the tensor's type.
/// Example:  mg::to_sequences<float>(mg::from_sequences<float>({{1, 2, 3}, {4}}));
template <extend::Element T>
std::vector<std::vector<T>> to_sequences(const Tensor& x);
/// The same as tensors [steps, step...] of their own, without masks and off the tape.
std::vector<Tensor> to_sequences(const Tensor& x);

}  // namespace maskgrad
