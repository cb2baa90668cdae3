#include <maskgrad/autograd/ops/sequence/causal_convolution.hpp>

#include <algorithm>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/sequence/sequence_inputs.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/core/kernels/sequence_cut.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view causal_op = "causal_convolution";

void check_causal(const Tensor& x, const Tensor& kernel, const Tensor& initial) {
  check::real(causal_op, x);
  check::rank(causal_op, x, 3, "[batch, time, features]");
  check::whole_steps(causal_op, x, "features");
  check::same_dtype(causal_op, x, kernel);
  check::no_mask(causal_op, kernel, "weights have no padding", "put the mask on the input");
  if (kernel.rank() != 2 || !fits(kernel.shape()[1], x.shape()[2]) || kernel.shape()[0] == 0) {
    fail<ShapeError>(causal_op,
                     "{} with kernel {}; expected [width, features], a width of 1 or more",
                     x.describe(), kernel.describe());
  }
  if (!initial.defined()) return;
  check::same_dtype(causal_op, x, initial);
  const Shape expected{x.shape()[0], kernel.shape()[0] - 1, x.shape()[2]};
  if (!fits(initial.shape(), expected)) {
    fail<ShapeError>(causal_op, "the initial steps are {}; expected {} for x {} and kernel {}",
                     initial.describe(), expected, x.describe(), kernel.describe());
  }
}

/// Each sequence's steps behind those before its first one: position e of sequence s is a row, or
/// an initial step where e is below width - 1.
struct CausalCall {
  Sequences sequences;
  std::int64_t width, features;
  bool backwards;

  std::int64_t before() const { return width - 1; }
  /// The row of step k.
  std::int64_t row(std::int64_t s, std::int64_t k) const {
    return sequences.first[s] + (backwards ? sequences.length[s] - 1 - k : k);
  }
  template <class T>
  T* at(T* rows, T* initial, std::int64_t s, std::int64_t e) const {
    if (e >= before()) return rows ? rows + row(s, e - before()) * features : nullptr;
    return initial ? initial + (s * before() + e) * features : nullptr;
  }
  kernels::SequenceCut cut() const {
    return {{sequences.count(), sequences.rows, features, sequences.first.data(),
             sequences.length.data()},
            64,
            1024,
            kernels::elementwise_grain / width};
  }
};

/// y += a b of the features [from, to).
template <class T>
void add_products(const T* a, const T* b, std::int64_t from, std::int64_t to, T* y) {
  for (auto f = from; f < to; ++f) y[f] += a[f] * b[f];
}
/// The same where a 0 in `by` reads nothing.
template <class T, class Sum>
void add_selected(const T* by, const T* b, std::int64_t from, std::int64_t to, Sum* y) {
  for (auto f = from; f < to; ++f) y[f] += kernels::selected_by(by[f], by[f] * b[f]);
}

template <class T>
void causal_forward(const CausalCall& c, const T* x, const T* kernel, const T* initial, T* y,
                    T* last) {
  const auto cut = c.cut();
  cut.each_shard([&](std::int64_t group, std::int64_t, std::int64_t from, std::int64_t to) {
    cut.each_sequence(group, [&](std::int64_t s) {
      const auto length = c.sequences.length[s];
      for (std::int64_t k = 0; k < length; ++k) {
        T* out = y + c.row(s, k) * c.features;
        std::fill(out + from, out + to, T(0));
        for (std::int64_t i = 0; i < c.width; ++i) {
          const T* in = c.at(x, initial, s, k + i);
          if (in) add_products(kernel + i * c.features, in, from, to, out);
        }
      }
      for (std::int64_t m = 0; m < c.before(); ++m) {
        const T* in = c.at(x, initial, s, length + m);
        T* out = last + (s * c.before() + m) * c.features;
        if (in) {
          std::copy(in + from, in + to, out + from);
        } else {
          std::fill(out + from, out + to, T(0));
        }
      }
    });
  });
}

/// dx and the gradient of the initial steps; either may be null, as may the gradients that come in.
template <class T>
void causal_input_gradient(const CausalCall& c, const T* dy, const T* dlast, const T* kernel, T* dx,
                           T* dinitial) {
  const auto cut = c.cut();
  cut.each_shard([&](std::int64_t group, std::int64_t, std::int64_t from, std::int64_t to) {
    cut.each_sequence(group, [&](std::int64_t s) {
      const auto length = c.sequences.length[s];
      for (std::int64_t e = 0; e < length + c.before(); ++e) {
        T* out = c.at(dx, dinitial, s, e);
        if (!out) continue;
        std::fill(out + from, out + to, T(0));
        for (std::int64_t i = 0; dy && i < c.width; ++i) {
          const auto k = e - i;
          if (k < 0 || k >= length) continue;
          add_selected(dy + c.row(s, k) * c.features, kernel + i * c.features, from, to, out);
        }
        if (!dlast || e < length) continue;
        const T* in = dlast + (s * c.before() + e - length) * c.features;
        for (auto f = from; f < to; ++f) out[f] += in[f];
      }
    });
  });
}

/// A part for each group of sequences, added in their order.
template <class T>
void causal_kernel_gradient(const CausalCall& c, const T* dy, const T* x, const T* initial,
                            T* dkernel) {
  const auto cut = c.cut();
  const auto size = c.width * c.features;
  Pooled<double> parts(cut.groups() * size);
  std::fill(parts.begin(), parts.end(), 0.0);
  cut.each_shard([&](std::int64_t group, std::int64_t, std::int64_t from, std::int64_t to) {
    double* sums = parts.data() + group * size;
    cut.each_sequence(group, [&](std::int64_t s) {
      for (std::int64_t k = 0; k < c.sequences.length[s]; ++k) {
        const T* d = dy + c.row(s, k) * c.features;
        for (std::int64_t i = 0; i < c.width; ++i) {
          const T* in = c.at(x, initial, s, k + i);
          if (in) add_selected(d, in, from, to, sums + i * c.features);
        }
      }
    });
  });
  for (std::int64_t j = 0; j < size; ++j) {
    double sum = 0;
    for (std::int64_t group = 0; group < cut.groups(); ++group) sum += parts[group * size + j];
    dkernel[j] = static_cast<T>(sum);
  }
}

template <class T>
const T* causal_data(const Tensor& t) {
  return t.defined() ? rows::of<T>(t).data() : nullptr;
}

template <class T>
void causal_gradients(const CausalCall& c, const Tensor& x, const Tensor& kernel,
                      const Tensor& initial, Grads& grads) {
  const auto make = [&](int i, const Tensor& like) {
    const bool wanted = like.defined() && grads.wants(i);
    return wanted ? rows::make(like.shape(), like.dtype(), like.mask()) : Tensor();
  };
  const auto to = [](const Tensor& t) {
    return t.defined() ? rows::of_mutable<T>(t).data() : static_cast<T*>(nullptr);
  };
  const T* dy = causal_data<T>(grads.output(0));
  const Tensor dx = make(0, x), dinitial = make(2, initial);
  causal_input_gradient(c, dy, causal_data<T>(grads.output(1)), causal_data<T>(kernel), to(dx),
                        to(dinitial));
  if (dx.defined()) grads.add(0, dx);
  if (dinitial.defined()) grads.add(2, dinitial);
  if (!dy || !grads.wants(1)) return;
  const Tensor dkernel = make(1, kernel);
  causal_kernel_gradient(c, dy, causal_data<T>(x), causal_data<T>(initial), to(dkernel));
  grads.add(1, dkernel);
}

/// The same of other operations: what each step and each last state reads, by its place among all
/// rows and initial steps.
std::vector<Tensor> causal_by_rows(const CausalCall& c, const Tensor& x, const Tensor& kernel,
                                   const Tensor& initial, const Shape& state) {
  const auto count = c.sequences.count(), total = c.sequences.rows;
  const Tensor first =
      initial.defined()
          ? rearrange::regroup(causal_op, initial, {count * c.before(), c.features}, Mask())
          : zeros({count * c.before(), c.features}, x.dtype());
  const Tensor all =
      concatenate({rearrange::regroup(causal_op, x, {total, c.features}, Mask()), first}, 0);
  const Tensor read = rows::make({total, c.width}, DType::i64);
  const Tensor kept = rows::make({count, c.before()}, DType::i64);
  auto* of_row = rows::of_mutable<std::int64_t>(read).data();
  auto* of_state = rows::of_mutable<std::int64_t>(kept).data();
  for (std::int64_t s = 0; s < count; ++s) {
    const auto length = c.sequences.length[s];
    const auto place = [&](std::int64_t e) {
      return e >= c.before() ? c.row(s, e - c.before()) : total + s * c.before() + e;
    };
    for (std::int64_t k = 0; k < length; ++k) {
      for (std::int64_t i = 0; i < c.width; ++i) of_row[c.row(s, k) * c.width + i] = place(k + i);
    }
    for (std::int64_t m = 0; m < c.before(); ++m) {
      of_state[s * c.before() + m] = place(length + m);
    }
  }
  const Tensor y = sum(take(all, read) * kernel, {1});
  return {rearrange::regroup(causal_op, y, x.shape(), x.mask()),
          rearrange::regroup(causal_op, take(all, kept), state, sample_mask(x))};
}

}  // namespace

CausalConvolutionResult causal_convolution(const Tensor& x, const Tensor& kernel,
                                           const CausalConvolutionOptions& options) {
  check_causal(x, kernel, options.initial);
  const Mask samples = sample_mask(x);
  const Tensor initial =
      detail::initial_state(causal_op, "the initial steps", options.initial, x, samples);
  const Shape state{x.shape()[0], kernel.shape()[0] - 1, x.shape()[2]};
  if (x.is_meta() || kernel.is_meta()) {
    return {rows::make_meta(x.shape(), x.dtype(), x.mask()),
            rows::make_meta(state, x.dtype(), samples)};
  }
  const CausalCall call{sequences_of(x), kernel.shape()[0], x.shape()[2], options.backwards};
  const Tensor y = rows::make(x.shape(), x.dtype(), x.mask());
  const Tensor last = rows::make(state, x.dtype(), samples);
  dispatch_real(causal_op, x.dtype(), [&]<class T>() {
    causal_forward(call, rows::of<T>(x).data(), rows::of<T>(kernel).data(), causal_data<T>(initial),
                   rows::of_mutable<T>(y).data(), rows::of_mutable<T>(last).data());
  });
  const auto results = record_many(
      causal_op, {y, last}, {x, kernel, initial},
      [call, state, x = Saved(x), kernel = Saved(kernel), initial = Saved(initial)](auto& grads) {
        if constexpr (is_adjoint<decltype(grads)>) {
          grads.through(causal_by_rows(call, grads.input(0, x), grads.input(1, kernel),
                                       grads.input(2, initial), state));
        } else {
          dispatch_real(causal_op, x.get().dtype(), [&]<class T>() {
            causal_gradients<T>(call, x.get(), kernel.get(), initial.get(), grads);
          });
        }
      });
  return {results[0], results[1]};
}

}  // namespace maskgrad
