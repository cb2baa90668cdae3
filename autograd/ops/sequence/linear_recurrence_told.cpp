#include <maskgrad/autograd/ops/sequence/linear_recurrence_told.hpp>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/sequence/linear_recurrence.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view told_op = "linear_recurrence";

/// The rows of all sequences and the states of each as plain arrays [rows, ...] and [sequences,
/// ...], and where a row's neighbors stand among them.
class Neighbors {
 public:
  Neighbors(const Sequences& sequences, bool backwards, const Tensor& like)
      : sequences_(sequences),
        inner_(like.shape().sub(2, like.rank())),
        shape_(like.shape()),
        mask_(like.mask()),
        before_(rows::make({sequences.rows}, DType::i64)),
        behind_(rows::make({sequences.rows}, DType::i64)),
        first_(rows::make({sequences.count()}, DType::i64)) {
    auto* before = rows::of_mutable<std::int64_t>(before_).data();
    auto* behind = rows::of_mutable<std::int64_t>(behind_).data();
    auto* first = rows::of_mutable<std::int64_t>(first_).data();
    for (std::int64_t s = 0; s < sequences.count(); ++s) {
      const auto n = sequences.length[s], begin = sequences.first[s], of_state = sequences.rows + s;
      const auto row = [&](std::int64_t k) { return begin + (backwards ? n - 1 - k : k); };
      for (std::int64_t k = 0; k < n; ++k) {
        before[row(k)] = k > 0 ? row(k - 1) : of_state;
        behind[row(k)] = k + 1 < n ? row(k + 1) : of_state;
      }
      first[s] = n > 0 ? row(0) : of_state;
    }
  }

  Tensor rows_of(const Tensor& x) const { return flat(x, sequences_.rows); }
  Tensor states_of(const Tensor& x, DType type) const {
    const auto count = sequences_.count();
    return x.defined() ? flat(x, count) : zeros(Shape{count} + inner_, type);
  }
  /// Of each row that of the row before it, of a first row its sequence's state; and so on.
  Tensor before(const Tensor& rows, const Tensor& states) const {
    return take(concatenate({rows, states}, 0), before_);
  }
  Tensor behind(const Tensor& rows, const Tensor& states) const {
    return take(concatenate({rows, states}, 0), behind_);
  }
  /// Of each sequence that of its first row, of one without rows its state.
  Tensor first(const Tensor& rows, const Tensor& states) const {
    return take(concatenate({rows, states}, 0), first_);
  }
  Tensor back(const Tensor& rows) const { return rearrange::regroup(told_op, rows, shape_, mask_); }

 private:
  Tensor flat(const Tensor& x, std::int64_t count) const {
    return rearrange::regroup(told_op, x, Shape{count} + inner_, Mask());
  }

  const Sequences& sequences_;
  Shape inner_, shape_;
  Mask mask_;
  Tensor before_, behind_, first_;
};

/// What a factor of 0 forgot is not read, where it is infinite or NaN.
Tensor read_by(const Tensor& a, const Tensor& state) {
  const Tensor forgotten = logical_and(equal(a, 0), logical_not(isfinite(state)));
  return where(forgotten, zeros_like(state.value()), state);
}

}  // namespace

void tell_linear_recurrence(const Sequences& sequences, bool backwards, const Tensor& a,
                            const Tensor& initial, const Tensor& h, Adjoint& grads) {
  const Neighbors steps(sequences, backwards, a);
  const DType type = a.dtype();
  const Tensor factors = steps.rows_of(a);
  // A state behind the last row, from which the recurrence of gradients begins with its own factor.
  const Tensor last = steps.states_of(grads.output(1), type);
  const Tensor ones_behind = ones(last.shape(), type);
  const Tensor next = steps.back(steps.behind(factors, ones_behind));
  const Tensor dh =
      grads.output(0).defined() ? grads.output(0) : rows::make_zeros(a.shape(), type, a.mask());
  const Tensor begin = rearrange::regroup(
      told_op, last, a.shape().sub(0, 1) + a.shape().sub(2, a.rank()), sample_mask(a));
  const Tensor g = linear_recurrence(next, dh, {.initial = begin, .backwards = !backwards});
  grads.add(1, g);
  const Tensor own = steps.rows_of(g);
  if (h.defined()) {
    const Tensor states = steps.before(steps.rows_of(h), steps.states_of(initial, type));
    grads.add(0, steps.back(own * read_by(factors, states)));
  }
  if (initial.defined()) {
    const Tensor of_first = steps.first(factors * own, last);
    grads.add(2, rearrange::regroup(told_op, of_first, initial.shape(), initial.mask()));
  }
}

}  // namespace maskgrad::detail
