#include <maskgrad/autograd/ops/sequence/selective_scan.hpp>

#include <array>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/sequence/linear_recurrence.hpp>
#include <maskgrad/autograd/ops/sequence/sequence_inputs.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/kernels/selective_scan.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view scan_op = "selective_scan";

/// The inputs in their order, the four that have steps under one mask.
enum ScanInput { scan_x, scan_delta, scan_a, scan_b, scan_c, scan_initial, scan_inputs };
using ScanInputs = std::array<Tensor, scan_inputs>;

void check_scan(const ScanInputs& in) {
  const Tensor &x = in[scan_x], &a = in[scan_a];
  check::real(scan_op, x);
  check::rank(scan_op, x, 3, "[batch, time, inner]");
  check::rank(scan_op, a, 2, "[state, inner]");
  check::no_mask(scan_op, a, "weights have no padding", "put the mask on the input");
  const auto batch = x.shape()[0], time = x.shape()[1], inner = x.shape()[2];
  const auto state = a.shape()[0];
  const auto expect = [&](std::string_view what, const Tensor& t, const Shape& shape) {
    if (!t.defined()) return;
    check::same_dtype(scan_op, x, t);
    if (!fits(t.shape(), shape)) {
      fail<ShapeError>(scan_op, "{} is {}; expected {} for x {} and a {}", what, t.describe(),
                       shape, x.describe(), a.describe());
    }
  };
  expect("delta", in[scan_delta], {batch, time, inner});
  expect("a", a, {state, inner});
  expect("b", in[scan_b], {batch, time, state});
  expect("c", in[scan_c], {batch, time, state});
  expect("the initial state", in[scan_initial], {batch, state, inner});
  for (const auto i : {scan_x, scan_delta, scan_b, scan_c}) {
    check::whole_steps(scan_op, in[i], "features");
  }
}

void put_under_one_mask(ScanInputs& in) {
  constexpr std::array steps{scan_x, scan_delta, scan_b, scan_c};
  for (const auto i : steps) in[scan_x] = detail::under_both(in[scan_x], in[i]);
  for (const auto i : steps) in[i] = detail::under_both(in[i], in[scan_x]);
}

struct ScanCall {
  Sequences sequences;
  std::int64_t inner, state;
  bool backwards;

  template <class T>
  kernels::SelectiveScan<T> problem(const ScanInputs& in) const {
    return {.sequences = sequences.count(),
            .rows = sequences.rows,
            .inner = inner,
            .state = state,
            .first = sequences.first.data(),
            .length = sequences.length.data(),
            .reverse = backwards,
            .x = values<T>(in[scan_x]),
            .delta = values<T>(in[scan_delta]),
            .a = values<T>(in[scan_a]),
            .b = values<T>(in[scan_b]),
            .c = values<T>(in[scan_c]),
            .h0 = values<T>(in[scan_initial])};
  }
  template <class T>
  static const T* values(const Tensor& t) {
    return t.defined() ? rows::of<T>(t).data() : nullptr;
  }
};

template <class T>
void scan_gradients(const ScanCall& call, const ScanInputs& in, const Tensor& saved, Grads& grads) {
  ScanInputs made;
  const auto want = [&](ScanInput i) {
    if (!in[i].defined() || !grads.wants(i)) return static_cast<T*>(nullptr);
    made[i] = rows::make(in[i].shape(), in[i].dtype(), in[i].mask());
    return rows::of_mutable<T>(made[i]).data();
  };
  kernels::selective_scan_backward<T>(call.problem<T>(in),
                                      {.saved = call.values<T>(saved),
                                       .dy = call.values<T>(grads.output(0)),
                                       .dlast = call.values<T>(grads.output(1)),
                                       .dx = want(scan_x),
                                       .ddelta = want(scan_delta),
                                       .da = want(scan_a),
                                       .db = want(scan_b),
                                       .dc = want(scan_c),
                                       .dh0 = want(scan_initial)});
  for (int i = 0; i < scan_inputs; ++i) {
    const Tensor& g = made[static_cast<std::size_t>(i)];
    if (g.defined()) grads.add(i, g);
  }
}

/// The same of other operations, on states of all steps.
std::vector<Tensor> scan_by_states(const ScanInputs& in, bool backwards) {
  const Tensor delta = expand_dims(in[scan_delta], 2);
  const Tensor input = delta * expand_dims(in[scan_x], 2);
  const auto [h, last] =
      linear_recurrence_with_state(exp(delta * in[scan_a]), input * expand_dims(in[scan_b], 3),
                                   {.initial = in[scan_initial], .backwards = backwards});
  return {sum(h * expand_dims(in[scan_c], 3), {2}), last};
}

}  // namespace

SelectiveScanResult selective_scan(const Tensor& x, const Tensor& delta, const Tensor& a,
                                   const Tensor& b, const Tensor& c,
                                   const SelectiveScanOptions& options) {
  ScanInputs in{x, delta, a, b, c, options.initial};
  check_scan(in);
  put_under_one_mask(in);
  const Tensor& steps = in[scan_x];
  const Mask samples = sample_mask(steps);
  in[scan_initial] =
      detail::initial_state(scan_op, "the initial state", options.initial, steps, samples);
  const Shape state_shape = x.shape().sub(0, 1) + a.shape().sub(0, 1) + x.shape().sub(2, 3);
  if (std::any_of(in.begin(), in.end(),
                  [](const Tensor& t) { return t.defined() && t.is_meta(); })) {
    return {rows::make_meta(x.shape(), x.dtype(), steps.mask()),
            rows::make_meta(state_shape, x.dtype(), samples)};
  }
  const ScanCall call{sequences_of(steps), x.shape()[2], a.shape()[0], options.backwards};
  const Tensor y = rows::make(x.shape(), x.dtype(), steps.mask());
  const Tensor last = rows::make(state_shape, x.dtype(), samples);
  const std::vector<Tensor> inputs(in.begin(), in.end());
  const bool wanted = recording() && tape::any_on_tape(inputs);
  Tensor saved;
  dispatch_real(scan_op, x.dtype(), [&]<class T>() {
    const auto problem = call.problem<T>(in);
    if (wanted) saved = rows::make({kernels::selective_scan_saved(problem)}, x.dtype());
    kernels::selective_scan<T>(problem, rows::of_mutable<T>(y).data(),
                               rows::of_mutable<T>(last).data(),
                               wanted ? rows::of_mutable<T>(saved).data() : nullptr);
  });
  std::vector<Saved> kept;
  for (std::size_t i = 0; wanted && i < inputs.size(); ++i) kept.emplace_back(inputs[i]);
  const auto results = record_many(scan_op, {y, last}, inputs, [call, kept, saved](auto& grads) {
    ScanInputs given;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if constexpr (is_adjoint<decltype(grads)>) {
        given[i] = grads.input(static_cast<int>(i), kept[i]);
      } else {
        given[i] = kept[i].get();
      }
    }
    if constexpr (is_adjoint<decltype(grads)>) {
      grads.through(scan_by_states(given, call.backwards));
    } else {
      dispatch_real(scan_op, given[0].dtype(),
                    [&]<class T>() { scan_gradients<T>(call, given, saved, grads); });
    }
  });
  return {results[0], results[1]};
}

}  // namespace maskgrad
