#include <maskgrad/layers/recurrent/decayed_attention.hpp>

#include <algorithm>
#include <limits>
#include <vector>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/linear/batched_matmul.hpp>
#include <maskgrad/autograd/ops/reduce/cumulative.hpp>
#include <maskgrad/autograd/ops/sequence/linear_recurrence.hpp>
#include <maskgrad/autograd/ops/sequence/sequence_inputs.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/layers/layer/spec.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view decayed_op = "linear attention";
constexpr std::int64_t longest_piece = 64;

/// Which sequences hold infinity or NaN in one of these.
std::vector<std::uint8_t> odd_ones(const Sequences& sequences, const Tensors& all) {
  std::vector<std::uint8_t> odd(static_cast<std::size_t>(sequences.count()));
  for (const auto& x : all) {
    const auto width = x.shape().count(2, x.rank());
    dispatch_real(decayed_op, x.dtype(), [&]<class T>() {
      const T* values = rows::of<T>(x).data();
      parallel_for(sequences.count(), [&](std::int64_t s) {
        const auto n = sequences.length[s] * width;
        if (!kernels::all_finite(values + sequences.first[s] * width, n)) {
          odd[static_cast<std::size_t>(s)] = 1;
        }
      });
    });
  }
  return odd;
}

/// Each sequence cut into pieces of `size` steps, the last one filled up with zeros: arrays
/// [pieces, size, ...], and [sequences, most pieces, ...] under the mask of those that there are.
/// An odd one gets a piece for each step: products within a piece would bring what is infinite or
/// NaN to the steps before it.
class Pieces {
 public:
  Pieces(const Sequences& sequences, const std::vector<std::uint8_t>& odd, bool backwards);

  std::int64_t count() const { return count_; }
  std::int64_t size() const { return size_; }
  /// x [batch, time, heads, ...] as [pieces, heads, size, ...].
  Tensor of(const Tensor& x) const;
  /// And back, for a tensor of that shape and mask.
  Tensor back(const Tensor& pieces, const Shape& shape, const Mask& mask) const;
  /// [pieces, ...] as sequences of pieces, and back.
  Tensor in_order(const Tensor& x) const;
  Tensor apart(const Tensor& x) const;
  /// Of each piece what the one before it has, of a sequence's first piece that of the sequence.
  Tensor before(const Tensor& pieces, const Tensor& of_sequences) const {
    return take(concatenate({pieces, of_sequences}, 0), before_);
  }

 private:
  /// Rows `from` of x, zeros where there is none, as [from, ...].
  static Tensor taken(const Tensor& x, std::int64_t rows, const Index& from, const Shape& step);

  std::int64_t rows_, count_ = 0, most_ = 0, size_ = 1;
  Index rows_of_, places_;
  Tensor before_;
  Mask mask_;
};

Pieces::Pieces(const Sequences& sequences, const std::vector<std::uint8_t>& odd, bool backwards)
    : rows_(sequences.rows) {
  std::int64_t longest = 0;
  for (const auto n : sequences.length) longest = std::max(longest, n);
  size_ = std::clamp<std::int64_t>(longest, 1, longest_piece);
  std::vector<std::int64_t> pieces;
  for (std::int64_t s = 0; s < sequences.count(); ++s) {
    const auto n = sequences.length[s];
    pieces.push_back(odd[static_cast<std::size_t>(s)] ? n : (n + size_ - 1) / size_);
    count_ += pieces.back();
    most_ = std::max(most_, pieces.back());
  }
  mask_ = masks::from_lengths(pieces, most_, "the pieces of each sequence");
  rows_of_ = Index(count_ * size_);
  places_ = Index(rows_);
  before_ = rows::make({count_}, DType::i64);
  auto* before = rows::of_mutable<std::int64_t>(before_).data();
  std::fill(rows_of_.begin(), rows_of_.end(), -1);
  std::int64_t first = 0;
  for (std::int64_t s = 0; s < sequences.count(); ++s) {
    const auto n = sequences.length[s], mine = pieces[static_cast<std::size_t>(s)];
    const auto steps = odd[static_cast<std::size_t>(s)] ? 1 : size_;
    for (std::int64_t k = 0; k < n; ++k) {
      const auto at = (first + k / steps) * size_ + k % steps;
      const auto row = sequences.first[s] + (backwards ? n - 1 - k : k);
      rows_of_[at] = row;
      places_[row] = at;
    }
    for (std::int64_t i = 0; i < mine; ++i) before[first + i] = i > 0 ? first + i - 1 : count_ + s;
    first += mine;
  }
}

Tensor Pieces::taken(const Tensor& x, std::int64_t rows, const Index& from, const Shape& step) {
  const Mask all = masks::all({rows}, "all rows");
  return rearrange::take_rows(decayed_op,
                              rearrange::regroup(decayed_op, x, Shape{rows} + step, all), from,
                              Shape{from.size()} + step, Mask());
}

Tensor Pieces::of(const Tensor& x) const {
  const Shape step = x.shape().sub(2, x.rank());
  return transpose(reshape(taken(x, rows_, rows_of_, step), Shape{count_, size_} + step), 1, 2);
}

Tensor Pieces::back(const Tensor& pieces, const Shape& shape, const Mask& mask) const {
  const Tensor steps = transpose(pieces, 1, 2);
  const Shape step = steps.shape().sub(2, steps.rank());
  const Tensor flat = taken(steps, count_ * size_, places_, step);
  return rearrange::regroup(decayed_op, flat, shape, mask);
}

Tensor Pieces::in_order(const Tensor& x) const {
  const Shape shape = mask_.shape() + x.shape().sub(1, x.rank());
  return rearrange::regroup(decayed_op, x, shape, mask_);
}
Tensor Pieces::apart(const Tensor& x) const {
  const Shape shape = Shape{count_} + x.shape().sub(2, x.rank());
  return rearrange::regroup(decayed_op, x, shape, Mask());
}

/// What hides a piece's later steps from the earlier ones, as logarithms of factors: [to, from].
Tensor hidden(std::int64_t size, DType type) {
  const Tensor logs = rows::make_zeros({size, size}, type);
  dispatch_real(decayed_op, type, [&]<class T>() {
    T* to = rows::of_mutable<T>(logs).data();
    for (std::int64_t t = 0; t < size; ++t) {
      std::fill(to + t * size + t + 1, to + (t + 1) * size, -std::numeric_limits<T>::infinity());
    }
  });
  return logs;
}

}  // namespace

DecayedAttention decayed_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                   const Tensor& log_decay, const Tensor& given, bool backwards) {
  const Shape &keys = k.shape(), &values = v.shape();
  const Shape one{keys[2], keys[3], values[3]}, state_shape = keys.sub(0, 1) + one;
  const Mask samples = sample_mask(q);
  const Tensor initial = initial_state(decayed_op, "the initial state", given, q, samples);
  if (q.is_meta()) {
    return {rows::make_meta(values, v.dtype(), q.mask()),
            rows::make_meta(state_shape, v.dtype(), samples)};
  }
  const Sequences sequences = sequences_of(q);
  const Pieces pieces(sequences, odd_ones(sequences, {q, k, v}), backwards);
  const Tensor query = pieces.of(q), key = pieces.of(k), value = pieces.of(v);
  const Tensor decay = cumsum(pieces.of(log_decay), 2);  // since before the piece, as logarithms
  const Tensor whole = slice(decay, 2, -1);
  const Tensor between = expand_dims(decay, 3) - expand_dims(decay, 2);
  const Tensor weights = exp(between + hidden(pieces.size(), q.dtype()));
  const Tensor scores = batched_matmul(query, key, false, true) * weights;
  const Tensor added = batched_matmul(key * expand_dims(exp(whole - decay), 3), value, true);
  const Tensor kept = expand_dims(exp(whole), 3) * ones({one[1], one[2]}, q.dtype());
  const auto count = Shape{sequences.count()} + one;
  const Tensor first = initial.defined() ? rearrange::regroup(decayed_op, initial, count, Mask())
                                         : zeros(count, q.dtype());
  const auto [states, last] = linear_recurrence_with_state(
      pieces.in_order(kept), pieces.in_order(added), {.initial = first});
  const Tensor before = pieces.before(pieces.apart(states), first);
  const Tensor out =
      batched_matmul(scores, value) + batched_matmul(query * expand_dims(exp(decay), 3), before);
  return {pieces.back(out, values, q.mask()),
          rearrange::regroup(decayed_op, last, state_shape, samples)};
}

}  // namespace maskgrad::detail
