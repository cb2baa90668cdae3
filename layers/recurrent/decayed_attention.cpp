#include <maskgrad/layers/recurrent/decayed_attention.hpp>

#include <algorithm>
#include <vector>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
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

namespace maskgrad::detail {
namespace {

constexpr std::string_view decayed_op = "linear attention";
constexpr std::int64_t longest_piece = 64;

/// Each sequence cut into pieces of `size` steps, the last one filled up with zeros: arrays
/// [pieces, size, ...], and [sequences, most pieces, ...] under the mask of those that there are.
class Pieces {
 public:
  Pieces(const Sequences& sequences, bool backwards);

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
  std::int64_t rows_, count_ = 0, most_ = 0, size_ = 1;
  Tensor rows_of_, places_, before_;
  Mask mask_;
};

Pieces::Pieces(const Sequences& sequences, bool backwards) : rows_(sequences.rows) {
  std::int64_t longest = 0;
  for (const auto n : sequences.length) longest = std::max(longest, n);
  size_ = std::clamp<std::int64_t>(longest, 1, longest_piece);
  std::vector<std::int64_t> pieces;
  for (const auto n : sequences.length) {
    pieces.push_back((n + size_ - 1) / size_);
    count_ += pieces.back();
    most_ = std::max(most_, pieces.back());
  }
  mask_ = masks::from_lengths(pieces, most_, "the pieces of each sequence");
  rows_of_ = rows::make({count_, size_}, DType::i64);
  places_ = rows::make({rows_}, DType::i64);
  before_ = rows::make({count_}, DType::i64);
  auto* row_of = rows::of_mutable<std::int64_t>(rows_of_).data();
  auto* place = rows::of_mutable<std::int64_t>(places_).data();
  auto* before = rows::of_mutable<std::int64_t>(before_).data();
  std::fill_n(row_of, count_ * size_, rows_);
  std::int64_t first = 0;
  for (std::int64_t s = 0; s < sequences.count(); ++s) {
    const auto n = sequences.length[s], mine = pieces[static_cast<std::size_t>(s)];
    for (std::int64_t k = 0; k < n; ++k) {
      const auto row = sequences.first[s] + (backwards ? n - 1 - k : k);
      row_of[first * size_ + k] = row;
      place[row] = first * size_ + k;
    }
    for (std::int64_t i = 0; i < mine; ++i) before[first + i] = i > 0 ? first + i - 1 : count_ + s;
    first += mine;
  }
}

Tensor Pieces::of(const Tensor& x) const {
  const Shape step = x.shape().sub(2, x.rank());
  const Tensor all = rearrange::regroup(decayed_op, x, Shape{rows_} + step, Mask());
  const Tensor cut = take(concatenate({all, zeros(Shape{1} + step, x.dtype())}, 0), rows_of_);
  return transpose(cut, 1, 2);
}

Tensor Pieces::back(const Tensor& pieces, const Shape& shape, const Mask& mask) const {
  const Tensor steps = transpose(pieces, 1, 2);
  const Shape step = steps.shape().sub(2, steps.rank());
  const Tensor flat = reshape(steps, Shape{count_ * size_} + step);
  return rearrange::regroup(decayed_op, take(flat, places_), shape, mask);
}

Tensor Pieces::in_order(const Tensor& x) const {
  const Shape shape = mask_.shape() + x.shape().sub(1, x.rank());
  return rearrange::regroup(decayed_op, x, shape, mask_);
}
Tensor Pieces::apart(const Tensor& x) const {
  const Shape shape = Shape{count_} + x.shape().sub(2, x.rank());
  return rearrange::regroup(decayed_op, x, shape, Mask());
}

/// Which of a piece's steps another one sees: [to, from].
Tensor not_behind(std::int64_t size) {
  const Tensor sees = rows::make({size, size}, DType::boolean);
  bool* to = rows::of_mutable<bool>(sees).data();
  for (std::int64_t t = 0; t < size; ++t) {
    for (std::int64_t i = 0; i < size; ++i) to[t * size + i] = i <= t;
  }
  return sees;
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
  const Pieces pieces(sequences, backwards);
  const Tensor query = pieces.of(q), key = pieces.of(k), value = pieces.of(v);
  const Tensor decay = cumsum(pieces.of(log_decay), 2);  // since before the piece, as logarithms
  const Tensor whole = slice(decay, 2, -1), none = zeros({}, q.dtype());
  const Tensor sees = not_behind(pieces.size());
  const Tensor between = where(sees, expand_dims(decay, 3) - expand_dims(decay, 2), none);
  const Tensor scores = batched_matmul(query, key, false, true) * where(sees, exp(between), none);
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
