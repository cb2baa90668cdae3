#include <maskgrad/autograd/ops/sequence/recurrent_recorded.hpp>

#include <maskgrad/autograd/ops/sequence/recurrent_steps.hpp>
#include <maskgrad/core/kernels/recurrent/second.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad::detail {
namespace {

/// The pointers of a gradient that is wanted, in a tensor that is then added; kernels overwrite.
template <class T>
class Wanted {
 public:
  Wanted(Grads& grads, int input, const Tensor& like) : grads_(grads), input_(input) {
    if (like.defined() && grads.wants(input)) {
      grad_ = rows::make(like.shape(), like.dtype(), like.mask());
    }
  }
  T* data() const { return array_of<T>(grad_); }
  void add() const {
    if (grad_.defined()) grads_.add(input_, grad_);
  }

 private:
  Grads& grads_;
  int input_;
  Tensor grad_;
};

std::vector<Tensor> values(const std::vector<Saved>& inputs) {
  std::vector<Tensor> in;
  for (const auto& x : inputs) in.push_back(x.get());
  return in;
}

/// What backward reads, from where the results' gradients are.
template <class T, class G>
kernels::RecurrentBackward<T> read(const RecordedRecurrent& r, const G& grads) {
  const auto dy = [&](int place) {
    return place < 0 ? nullptr : rows::data_or_null<T>(grads.output(place));
  };
  return {.out = rows::data_or_null<T>(r.out),
          .saved = rows::data_or_null<T>(r.saved),
          .dout = dy(r.call.output_place()),
          .dh_final = dy(r.call.h_place()),
          .dc_final = dy(r.call.c_place())};
}

template <class T>
void run_backward(const RecordedRecurrent& r, Grads& grads) {
  const auto in = values(r.inputs);
  const auto problem = r.call.problem<T>(in, true);
  const Wanted<T> dx(grads, 0, in[0]), dkernel(grads, 1, in[1]), drecurrent(grads, 2, in[2]);
  const Wanted<T> dbias(grads, 3, in[3]), dh0(grads, 4, in[4]), dc0(grads, 5, in[5]);
  auto gradient = read<T>(r, grads);
  gradient.dx = dx.data();
  gradient.dkernel = dkernel.data();
  gradient.drecurrent_kernel = drecurrent.data();
  gradient.dbias = dbias.data();
  gradient.dh0 = dh0.data();
  gradient.dc0 = dc0.data();
  const Storage scratch(kernels::recurrent_backward_scratch(problem));
  kernels::recurrent_backward(problem, gradient, scratch.data());
  for (const auto* g : {&dx, &dkernel, &drecurrent, &dbias, &dh0, &dc0}) g->add();
}

/// What is not finite, and meets a gradient of 0, is told as operations, which do not read it.
template <class T>
bool all_finite(const RecordedRecurrent& r, const Second& second) {
  const auto finite = [](const Tensor& x) {
    return !x.defined() || kernels::all_finite_of(rows::of<T>(x).data(), rows::total(x));
  };
  bool all = finite(r.out);
  for (std::size_t i = 0; i < r.inputs.size(); ++i) {
    all = all && finite(r.inputs[i].get()) && finite(second.up(static_cast<int>(i)));
  }
  for (std::size_t i = 0; i < r.results.size(); ++i) {
    all = all && finite(second.output(static_cast<int>(i)));
  }
  return all;
}

template <class T>
void run_second(const RecordedRecurrent& r, Second& second) {
  const auto in = values(r.inputs);
  std::vector<Tensor> of_results, of_inputs;
  for (std::size_t i = 0; i < r.results.size(); ++i) {
    const auto& like = r.results[i];
    const bool wanted = second.wants_output(static_cast<int>(i));
    of_results.push_back(wanted ? rows::make(like.shape, like.dtype, like.mask) : Tensor());
  }
  for (std::size_t i = 0; i < in.size(); ++i) {
    const bool wanted = in[i].defined() && second.wants_input(static_cast<int>(i));
    of_inputs.push_back(wanted ? rows::make(in[i].shape(), in[i].dtype(), in[i].mask()) : Tensor());
  }
  const auto result = [&](int place) {
    return place < 0 ? nullptr : array_of<T>(of_results[static_cast<std::size_t>(place)]);
  };
  const auto up = [&](int i) { return rows::data_or_null<T>(second.up(i)); };
  kernels::recurrent_second<T>(r.call.problem<T>(in, true), read<T>(r, second),
                               {.x = up(0),
                                .kernel = up(1),
                                .recurrent_kernel = up(2),
                                .bias = up(3),
                                .h0 = up(4),
                                .c0 = up(5)},
                               {.out = result(r.call.output_place()),
                                .h = result(r.call.h_place()),
                                .c = result(r.call.c_place()),
                                .dx = array_of<T>(of_inputs[0]),
                                .dkernel = array_of<T>(of_inputs[1]),
                                .drecurrent_kernel = array_of<T>(of_inputs[2]),
                                .dbias = array_of<T>(of_inputs[3]),
                                .dh0 = array_of<T>(of_inputs[4]),
                                .dc0 = array_of<T>(of_inputs[5])});
  for (std::size_t i = 0; i < r.results.size(); ++i) {
    second.add_output(static_cast<int>(i), of_results[i]);
  }
  for (std::size_t i = 0; i < in.size(); ++i) {
    second.add_input(static_cast<int>(i), of_inputs[i]);
  }
}

}  // namespace

void RecordedRecurrent::backward(Grads& grads) const {
  dispatch_real(recurrent_op, inputs[0].get().dtype(),
                [&]<class T>() { run_backward<T>(*this, grads); });
}

bool RecordedRecurrent::second(Second& second) const {
  return dispatch_real(recurrent_op, inputs[0].get().dtype(), [&]<class T>() {
    if (!all_finite<T>(*this, second)) return false;
    run_second<T>(*this, second);
    return true;
  });
}

void RecordedRecurrent::tell(Adjoint& grads) const {
  std::vector<Tensor> in;
  for (int i = 0; i < 6; ++i) in.push_back(grads.input(i, inputs[static_cast<std::size_t>(i)]));
  const auto y = recurrent_by_steps(call.cell, call.reset_after, call.reverse, call.sequences,
                                    in[0], {in[1], in[2], in[3]}, {in[4], in[5]});
  std::vector<Tensor> told;
  if (call.outputs) told.push_back(y.output);
  told.push_back(y.state.h);
  if (y.state.c.defined()) told.push_back(y.state.c);
  grads.through(told);
}

}  // namespace maskgrad::detail
