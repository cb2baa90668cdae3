#include <maskgrad/autograd/ops/sequence/linear_recurrence.hpp>

#include <array>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/sequence/linear_recurrence_told.hpp>
#include <maskgrad/autograd/ops/sequence/sequence_inputs.hpp>
#include <maskgrad/core/kernels/linear_recurrence.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view linear_op = "linear_recurrence";

void check_linear(const Tensor& a, const Tensor& b, const Tensor& initial) {
  check::real(linear_op, a);
  check::same_dtype(linear_op, a, b);
  if (a.rank() < 2 || !fits(a.shape(), b.shape())) {
    fail<ShapeError>(linear_op, "a {} with b {}; expected [batch, time, ...] of the same sizes",
                     a.describe(), b.describe());
  }
  check::whole_steps(linear_op, a, "features");
  check::whole_steps(linear_op, b, "features");
  if (!initial.defined()) return;
  check::same_dtype(linear_op, a, initial);
  const Shape expected = a.shape().sub(0, 1) + a.shape().sub(2, a.rank());
  if (!fits(initial.shape(), expected)) {
    fail<ShapeError>(linear_op, "the initial state is {}; expected {} for a {}", initial.describe(),
                     expected, a.describe());
  }
}

/// A call as backward needs it again.
struct LinearCall {
  Sequences sequences;
  std::int64_t width;
  bool backwards;

  template <class T>
  kernels::LinearRecurrence<T> problem(const Tensor& a, const Tensor& initial) const {
    return {.sequences = sequences.count(),
            .rows = sequences.rows,
            .width = width,
            .first = sequences.first.data(),
            .length = sequences.length.data(),
            .reverse = backwards,
            .a = values<T>(a),
            .h0 = values<T>(initial)};
  }
  template <class T>
  static const T* values(const Tensor& t) {
    return t.defined() ? rows::of<T>(t).data() : nullptr;
  }
};

/// `h`: what forward gave, where a has a gradient.
template <class T>
void gradients_of(const LinearCall& call, const Tensor& a, const Tensor& initial, const Tensor& h,
                  Grads& grads) {
  kernels::LinearRecurrenceGradient<T> to{.h = call.values<T>(h),
                                          .dh = call.values<T>(grads.output(0)),
                                          .dlast = call.values<T>(grads.output(1))};
  std::array<Tensor, 3> made;
  const auto want = [&](int input, const Tensor& like) {
    if (!like.defined() || !grads.wants(input)) return static_cast<T*>(nullptr);
    Tensor& to = made[static_cast<std::size_t>(input)];
    to = rows::make(like.shape(), like.dtype(), like.mask());
    return rows::of_mutable<T>(to).data();
  };
  to.da = want(0, a);
  to.db = want(1, a);
  to.dh0 = want(2, initial);
  kernels::linear_recurrence_backward(call.problem<T>(a, initial), to);
  for (int i = 0; i < 3; ++i) {
    const Tensor& g = made[static_cast<std::size_t>(i)];
    if (g.defined()) grads.add(i, g);
  }
}

}  // namespace

Tensor linear_recurrence(const Tensor& a, const Tensor& b, const LinearRecurrenceOptions& options) {
  return linear_recurrence_with_state(a, b, options).output;
}

LinearRecurrenceResult linear_recurrence_with_state(const Tensor& a_given, const Tensor& b_given,
                                                    const LinearRecurrenceOptions& options) {
  check_linear(a_given, b_given, options.initial);
  const Tensor a = detail::under_both(a_given, b_given), b = detail::under_both(b_given, a);
  const Shape shape = a.shape(), state_shape = shape.sub(0, 1) + shape.sub(2, shape.rank());
  const Mask samples = sample_mask(a);
  const Tensor initial =
      detail::initial_state(linear_op, "the initial state", options.initial, a, samples);
  if (a.is_meta() || b.is_meta()) {
    return {rows::make_meta(shape, a.dtype(), a.mask()),
            rows::make_meta(state_shape, a.dtype(), samples)};
  }
  const LinearCall call{sequences_of(a), shape.count(2, shape.rank()), options.backwards};
  const Tensor h = rows::make(shape, a.dtype(), a.mask());
  const Tensor last = rows::make(state_shape, a.dtype(), samples);
  dispatch_real(linear_op, a.dtype(), [&]<class T>() {
    auto problem = call.problem<T>(a, initial);
    problem.b = rows::of<T>(b).data();
    kernels::linear_recurrence(problem, rows::of_mutable<T>(h).data(),
                               rows::of_mutable<T>(last).data());
  });
  const auto y = record_many(
      linear_op, {h, last}, {a, b, initial},
      // The states are read for the gradient of a alone.
      [call, a = Saved(a), initial = Saved(initial), h = a.on_tape() ? h : Tensor()](auto& grads) {
        if constexpr (is_adjoint<decltype(grads)>) {
          detail::tell_linear_recurrence(call.sequences, call.backwards, grads.input(0, a),
                                         grads.input(2, initial), grads.result(h), grads);
        } else {
          dispatch_real(linear_op, a.get().dtype(), [&]<class T>() {
            gradients_of<T>(call, a.get(), initial.get(), h, grads);
          });
        }
      });
  return {y[0], y[1]};
}

}  // namespace maskgrad
