#include <maskgrad/autograd/ops/sequence/recurrent.hpp>

#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/sequence/recurrent_recorded.hpp>
#include <maskgrad/autograd/ops/sequence/sequence_inputs.hpp>

namespace maskgrad {
namespace {

using detail::array_of;
using detail::RecordedRecurrent;
using detail::recurrent_op;
using detail::RecurrentCall;
using kernels::Cell;

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

/// Runs forward into `out` and the states behind it among the results; gives what backward needs.
Tensor run(const RecurrentCall& call, const std::vector<Tensor>& inputs, const Tensor& out,
           const std::vector<Tensor>& results, bool training,
           const detail::PackedRecurrent* packed) {
  Tensor saved;
  dispatch_real(recurrent_op, inputs[0].dtype(), [&]<class T>() {
    auto problem = call.problem<T>(inputs, training);
    if (packed && !training) problem.packed = reinterpret_cast<const T*>(packed->data());
    const auto keep = training ? kernels::recurrent_saved_size(problem) : 0;
    if (keep) saved = rows::make({keep}, inputs[0].dtype());
    const auto state = [&](int i) {
      return i < 0 ? nullptr : array_of<T>(results[static_cast<std::size_t>(i)]);
    };
    const Storage scratch(kernels::recurrent_forward_scratch(problem));
    kernels::recurrent_forward<T>(problem,
                                  {.out = array_of<T>(out),
                                   .h = state(call.h_place()),
                                   .c = state(call.c_place()),
                                   .saved = array_of<T>(saved)},
                                  scratch.data());
  });
  return saved;
}

std::array<std::uint64_t, 3> versions_of(const RecurrentWeights& w) {
  const auto version = [](const Tensor& t) { return t.defined() ? t.impl().storage.version() : 0; };
  return {version(w.kernel), version(w.recurrent_kernel), version(w.bias)};
}

bool same_values(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.impl().storage.data() == b.impl().storage.data() && a.shape() == b.shape() &&
         a.dtype() == b.dtype();
}

}  // namespace

detail::PackedRecurrent::PackedRecurrent(Cell cell, bool reset_after, const RecurrentWeights& w)
    : weights_{w.kernel.value(), w.recurrent_kernel.value(),
               w.bias.defined() ? w.bias.value() : Tensor()},
      versions_(versions_of(w)) {
  dispatch_real(recurrent_op, w.kernel.dtype(), [&]<class T>() {
    const kernels::RecurrentProblem<T> problem{
        .cell = cell,
        .reset_after = reset_after,
        .features = w.kernel.shape()[0],
        .units = w.recurrent_kernel.shape()[0],
        .kernel = rows::data_or_null<T>(w.kernel),
        .recurrent_kernel = rows::data_or_null<T>(w.recurrent_kernel),
        .bias = rows::data_or_null<T>(w.bias)};
    const auto size = kernels::recurrent_packed_size(problem);
    packed_ = Storage(size * static_cast<std::int64_t>(sizeof(T)));
    kernels::recurrent_pack(problem, reinterpret_cast<T*>(packed_.data()));
  });
}

bool detail::PackedRecurrent::of(const RecurrentWeights& w) const {
  return same_values(w.kernel, weights_.kernel) &&
         same_values(w.recurrent_kernel, weights_.recurrent_kernel) &&
         same_values(w.bias, weights_.bias) && versions_of(w) == versions_;
}

RecurrentResult recurrent(Cell cell, bool reset_after, bool go_backwards, const Tensor& x,
                          const RecurrentWeights& weights, const RecurrentState& initial,
                          bool recompute, bool outputs, const detail::PackedRecurrent* packed) {
  check_sizes(cell, reset_after, x, weights, initial);
  const auto units = weights.recurrent_kernel.shape()[0];
  const Shape out_shape{x.shape()[0], x.shape()[1], units}, state_shape{x.shape()[0], units};
  const Mask samples = sample_mask(x);
  const bool lstm = cell == Cell::lstm;
  const Tensor h0 = detail::initial_state(recurrent_op, "the initial state", initial.h, x, samples);
  const Tensor c0 =
      detail::initial_state(recurrent_op, "the initial cell state", initial.c, x, samples);
  if (x.is_meta()) {
    const Tensor state = rows::make_meta(state_shape, x.dtype(), samples);
    return {outputs ? rows::make_meta(out_shape, x.dtype(), x.mask()) : Tensor(),
            {state, lstm ? state : Tensor()}};
  }
  const std::vector<Tensor> inputs{x, weights.kernel, weights.recurrent_kernel, weights.bias, h0,
                                   c0};
  const bool wanted = tape::any_on_tape(inputs);
  const RecurrentCall call{cell,    reset_after,     go_backwards, recompute,
                           outputs, sequences_of(x), x.shape()[2], units};
  // What is made again need not live until then.
  const bool reads_out = wanted && !recompute;
  const Tensor out = outputs || reads_out ? rows::make(out_shape, x.dtype(), x.mask()) : Tensor();
  std::vector<Tensor> results;
  if (outputs) results.push_back(out);
  for (int i = 0; i < (lstm ? 2 : 1); ++i) {
    results.push_back(rows::make(state_shape, x.dtype(), samples));
  }
  const Tensor saved = run(call, inputs, out, results, wanted, packed);
  if (wanted) {
    RecordedRecurrent recorded{
        call, {inputs.begin(), inputs.end()}, reads_out ? out : Tensor(), saved, {}};
    for (const auto& r : results) recorded.results.emplace_back(r);
    results = record_many(recurrent_op, results, inputs, std::move(recorded));
  }
  const auto place = [&](int i) { return i < 0 ? Tensor() : results[static_cast<std::size_t>(i)]; };
  return {place(call.output_place()), {place(call.h_place()), place(call.c_place())}};
}

}  // namespace maskgrad
