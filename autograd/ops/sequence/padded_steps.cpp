#include <maskgrad/autograd/ops/sequence/padded_steps.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>

namespace maskgrad {

PaddedSteps::PaddedSteps(const Sequences& sequences, bool reversed)
    : count_(sequences.count()), rows_(sequences.rows), length_(sequences.length) {
  for (const auto n : sequences.length) longest_ = std::max(longest_, n);
  ids_ = rows::make({count_, longest_}, DType::i64);
  places_ = rows::make({rows_}, DType::i64);
  auto* id = rows::of_mutable<std::int64_t>(ids_).data();
  auto* place = rows::of_mutable<std::int64_t>(places_).data();
  std::fill_n(id, count_ * longest_, rows_);
  for (std::int64_t s = 0; s < count_; ++s) {
    const auto first = sequences.first[s], n = sequences.length[s];
    for (std::int64_t t = 0; t < n; ++t) {
      const auto at = s * longest_ + t, row = first + (reversed ? n - 1 - t : t);
      id[at] = row;
      place[row] = at;
    }
  }
}

Tensor PaddedSteps::of(std::string_view op, const Tensor& x) const {
  const Shape step = x.shape().sub(2, x.rank());
  const Tensor all = rearrange::regroup(op, x, Shape{rows_} + step, Mask());
  return take(concatenate({all, zeros(Shape{1} + step, x.dtype())}, 0), ids_);
}

Tensor PaddedSteps::back(std::string_view op, const Tensor& steps, const Shape& shape,
                         const Mask& mask) const {
  const Shape step = steps.shape().sub(2, steps.rank());
  const Tensor flat = reshape(steps, Shape{count_ * longest_} + step);
  return rearrange::regroup(op, take(flat, places_), shape, mask);
}

Tensor PaddedSteps::alive(std::int64_t t) const {
  const Tensor there = rows::make({count_, 1}, DType::boolean);
  bool* to = rows::of_mutable<bool>(there).data();
  for (std::int64_t s = 0; s < count_; ++s) to[s] = t < length_[s];
  return there;
}

}  // namespace maskgrad
