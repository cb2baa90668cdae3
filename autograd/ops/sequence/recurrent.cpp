#include <maskgrad/autograd/ops/sequence/recurrent.hpp>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/sequence/recurrent_steps.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/kernels/recurrent/second.hpp>

namespace maskgrad {
namespace {

using kernels::Cell;

constexpr std::string_view recurrent_op = "recurrent";

void check_sizes(Cell cell, bool reset_after, const Tensor& x, const RecurrentWeights& w,
                 const RecurrentState& initial) {
  check::real(recurrent_op, x);
  check::rank(recurrent_op, x, 3, "[batch, time, features]");
  check::whole_steps(recurrent_op, x, "features");
  const auto gates = kernels::gates_of(cell), units = w.recurrent_kernel.shape()[0];
  const auto expect = [&](std::string_view what, const Tensor& t, const Shape& shape) {
    if (!t.defined()) return;
    check::same_dtype(recurrent_op, x, t);
    if (!fits(t.shape(), shape)) {
      fail<ShapeError>(recurrent_op, "{} is {}; expected {} for the input {} and {} units", what,
                       t.describe(), shape, x.describe(), units);
    }
  };
  for (const Tensor* t : {&w.kernel, &w.recurrent_kernel, &w.bias}) {
    if (t->defined()) {
      check::no_mask(recurrent_op, *t, "weights have no padding", "put the mask on the input");
    }
  }
  expect("the kernel", w.kernel, {x.shape()[2], gates * units});
  expect("the recurrent kernel", w.recurrent_kernel, {units, gates * units});
  const bool two = cell == Cell::gru && reset_after;
  expect("the bias", w.bias, two ? Shape{2, gates * units} : Shape{gates * units});
  expect("the initial state", initial.h, {x.shape()[0], units});
  expect("the initial cell state", initial.c, {x.shape()[0], units});
}

/// An initial state as the sequences have it: gathered under a mask [batch], else dense.
Tensor matched(std::string_view what, const Tensor& state, const Tensor& x, const Mask& samples) {
  if (!state.defined() || (!state.has_mask() && !samples)) return state;
  const Tensor own = samples ? with_mask(state, samples) : state;
  const bool possible = x.is_meta() && samples;  // which sequences there are is not known yet
  if (samples && own.mask().rank() == samples.rank() && (possible || own.mask() == samples)) {
    return own;
  }
  fail<MaskError>(recurrent_op,
                  "{} {} lacks sequences of the input {}; expected a state for each. Give the "
                  "others one with or_else(state, zeros)",
                  what, state.describe(), x.describe());
}

template <class T>
const T* data(const Tensor& t) {
  return t.defined() ? rows::of<T>(t).data() : nullptr;
}

/// A call as backward needs it again; inputs in the order x, kernel, recurrent, bias, h0, c0.
struct Call {
  Cell cell;
  bool reset_after, reverse, recompute;
  Sequences sequences;
  std::int64_t features, units;

  template <class T>
  kernels::RecurrentProblem<T> problem(const std::vector<Tensor>& in, bool training) const {
    return {.cell = cell,
            .reverse = reverse,
            .reset_after = reset_after,
            .training = training,
            .recompute = recompute,
            .batch = sequences.count(),
            .rows = sequences.rows,
            .features = features,
            .units = units,
            .first = sequences.first.data(),
            .length = sequences.length.data(),
            .x = data<T>(in[0]),
            .kernel = data<T>(in[1]),
            .recurrent_kernel = data<T>(in[2]),
            .bias = data<T>(in[3]),
            .h0 = data<T>(in[4]),
            .c0 = data<T>(in[5])};
  }
};

/// The pointers of a gradient that is wanted, in a tensor that is then added; kernels overwrite.
template <class T>
class Wanted {
 public:
  Wanted(Grads& grads, int input, const Tensor& like) : grads_(grads), input_(input) {
    if (like.defined() && grads.wants(input)) {
      grad_ = rows::make(like.shape(), like.dtype(), like.mask());
    }
  }
  T* data() const { return grad_.defined() ? rows::of_mutable<T>(grad_).data() : nullptr; }
  void add() const {
    if (grad_.defined()) grads_.add(input_, grad_);
  }

 private:
  Grads& grads_;
  int input_;
  Tensor grad_;
};

template <class T>
void backward(const Call& call, const std::vector<Tensor>& in, const Tensor& out,
              const Tensor& saved, Grads& grads) {
  const auto problem = call.problem<T>(in, true);
  const Wanted<T> dx(grads, 0, in[0]), dkernel(grads, 1, in[1]), drecurrent(grads, 2, in[2]);
  const Wanted<T> dbias(grads, 3, in[3]), dh0(grads, 4, in[4]), dc0(grads, 5, in[5]);
  const bool cell = call.cell == Cell::lstm;
  const kernels::RecurrentBackward<T> gradient{
      .out = data<T>(out),
      .saved = data<T>(saved),
      .dout = data<T>(grads.output(0)),
      .dh_final = data<T>(grads.output(1)),
      .dc_final = cell ? data<T>(grads.output(2)) : nullptr,
      .dx = dx.data(),
      .dkernel = dkernel.data(),
      .drecurrent_kernel = drecurrent.data(),
      .dbias = dbias.data(),
      .dh0 = dh0.data(),
      .dc0 = dc0.data()};
  const Storage scratch(kernels::recurrent_backward_scratch(problem));
  kernels::recurrent_backward(problem, gradient, scratch.data());
  for (const auto* g : {&dx, &dkernel, &drecurrent, &dbias, &dh0, &dc0}) g->add();
}

template <class T>
void second_derivative(const Call& call, const std::vector<Tensor>& in,
                       std::vector<tape::Slot> results, Second& second) {
  std::vector<Tensor> of_results, of_inputs(in.size());
  for (auto& layout : results) of_results.push_back(layout.own());
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i].defined() && second.wants_input(static_cast<int>(i))) {
      of_inputs[i] = zeros_like(in[i]);
    }
  }
  const auto to = [](const Tensor& t) {
    return t.defined() ? rows::of_mutable<T>(t).data() : nullptr;
  };
  const bool lstm = call.cell == Cell::lstm;
  kernels::recurrent_second<T>(call.problem<T>(in, true),
                               {.x = data<T>(second.up(0)),
                                .kernel = data<T>(second.up(1)),
                                .recurrent_kernel = data<T>(second.up(2)),
                                .bias = data<T>(second.up(3)),
                                .h0 = data<T>(second.up(4)),
                                .c0 = data<T>(second.up(5))},
                               data<T>(second.output(0)), data<T>(second.output(1)),
                               lstm ? data<T>(second.output(2)) : nullptr,
                               {.out = to(of_results[0]),
                                .h = to(of_results[1]),
                                .c = lstm ? to(of_results[2]) : nullptr,
                                .dx = to(of_inputs[0]),
                                .dkernel = to(of_inputs[1]),
                                .drecurrent_kernel = to(of_inputs[2]),
                                .dbias = to(of_inputs[3]),
                                .dh0 = to(of_inputs[4]),
                                .dc0 = to(of_inputs[5])});
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto k = static_cast<int>(i);
    if (second.wants_output(k)) second.add_output(k, of_results[i]);
  }
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (of_inputs[i].defined()) second.add_input(static_cast<int>(i), of_inputs[i]);
  }
}

/// The gradients as operations, step by step.
void tell(const Call& call, const std::vector<Tensor>& in, Adjoint& grads) {
  const auto y =
      detail::recurrent_by_steps(call.cell, call.reset_after, call.reverse, call.sequences, in[0],
                                 {in[1], in[2], in[3]}, {in[4], in[5]});
  std::vector<Tensor> results{y.output, y.state.h};
  if (y.state.c.defined()) results.push_back(y.state.c);
  grads.through(results);
}

}  // namespace

RecurrentResult recurrent(Cell cell, bool reset_after, bool go_backwards, const Tensor& x,
                          const RecurrentWeights& weights, const RecurrentState& initial,
                          bool recompute) {
  check_sizes(cell, reset_after, x, weights, initial);
  const auto units = weights.recurrent_kernel.shape()[0];
  const Shape out_shape{x.shape()[0], x.shape()[1], units}, state_shape{x.shape()[0], units};
  const Mask samples = sample_mask(x);
  const bool lstm = cell == Cell::lstm;
  const Tensor h0 = matched("the initial state", initial.h, x, samples);
  const Tensor c0 = matched("the initial cell state", initial.c, x, samples);
  if (x.is_meta()) {
    const Tensor state = rows::make_meta(state_shape, x.dtype(), samples);
    return {rows::make_meta(out_shape, x.dtype(), x.mask()), {state, lstm ? state : Tensor()}};
  }
  const std::vector<Tensor> inputs{x, weights.kernel, weights.recurrent_kernel, weights.bias, h0,
                                   c0};
  bool wanted = false;
  for (const auto& t : inputs) wanted = wanted || t.on_tape();
  wanted = wanted && recording();
  const Call call{cell, reset_after, go_backwards, recompute, sequences_of(x), x.shape()[2], units};
  std::vector<Tensor> results{rows::make(out_shape, x.dtype(), x.mask()),
                              rows::make(state_shape, x.dtype(), samples)};
  if (lstm) results.push_back(rows::make(state_shape, x.dtype(), samples));
  Tensor saved;
  dispatch_real(recurrent_op, x.dtype(), [&]<class T>() {
    const auto problem = call.problem<T>(inputs, wanted);
    const auto keep = wanted ? kernels::recurrent_saved_size(problem) : 0;
    if (keep) saved = rows::make({keep}, x.dtype());
    const Storage scratch(kernels::recurrent_forward_scratch(problem));
    kernels::recurrent_forward<T>(problem,
                                  {.out = rows::of_mutable<T>(results[0]).data(),
                                   .h = rows::of_mutable<T>(results[1]).data(),
                                   .c = lstm ? rows::of_mutable<T>(results[2]).data() : nullptr,
                                   .saved = keep ? rows::of_mutable<T>(saved).data() : nullptr},
                                  scratch.data());
  });
  std::vector<Saved> kept;
  if (wanted) {
    for (const auto& t : inputs) kept.emplace_back(t);
  }
  // What is made again need not live until then.
  const Tensor out = recompute ? Tensor() : results[0];
  std::vector<tape::Slot> layouts;
  for (const auto& r : results) layouts.emplace_back(r);
  const auto y = record_many(
      recurrent_op, results, inputs,
      [call, kept, out, saved](auto& grads) {
        std::vector<Tensor> in;
        if constexpr (is_adjoint<decltype(grads)>) {
          for (int i = 0; i < 6; ++i)
            in.push_back(grads.input(i, kept[static_cast<std::size_t>(i)]));
          tell(call, in, grads);
        } else {
          for (const auto& k : kept) in.push_back(k.get());
          dispatch_real(recurrent_op, in[0].dtype(),
                        [&]<class T>() { backward<T>(call, in, out, saved, grads); });
        }
      },
      [call, kept, layouts](Second& second) {
        std::vector<Tensor> in;
        for (const auto& k : kept) in.push_back(k.get());
        dispatch_real(recurrent_op, in[0].dtype(),
                      [&]<class T>() { second_derivative<T>(call, in, layouts, second); });
      });
  return {y[0], {y[1], lstm ? y[2] : Tensor()}};
}

}  // namespace maskgrad
