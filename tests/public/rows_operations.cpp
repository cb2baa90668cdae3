#include "hostile.hpp"

#include <maskgrad/autograd/ops/loss/binary_cross_entropy.hpp>
#include <maskgrad/autograd/ops/loss/cross_entropy.hpp>

namespace maskgrad::tests {
namespace {

using One = Tensor (*)(const Tensor&);
using Two = Tensor (*)(const Tensor&, const Tensor&);
using Scaled = Tensor (*)(const Tensor&, double);

template <class... F>
std::function<Calls()> of(F... f) {
  return [=] {
    Calls all;
    for (auto& some : {calls(f)...}) all.insert(all.end(), some.begin(), some.end());
    return all;
  };
}

std::vector<Row> unary_rows() {
  return {{"abs", of(abs)},
          {"sign", of(sign)},
          {"square", of(square)},
          {"sqrt", of<One>(sqrt)},
          {"rsqrt", of(rsqrt)},
          {"reciprocal", of(reciprocal)},
          {"exp", of<One>(exp)},
          {"exp2", of<One>(exp2)},
          {"expm1", of<One>(expm1)},
          {"log", of<One>(log)},
          {"log1p", of<One>(log1p)},
          {"log2", of<One>(log2)},
          {"log10", of<One>(log10)},
          {"sin", of<One>(sin)},
          {"cos", of<One>(cos)},
          {"tan", of<One>(tan)},
          {"asin", of<One>(asin)},
          {"acos", of<One>(acos)},
          {"atan", of<One>(atan)},
          {"sinh", of<One>(sinh)},
          {"cosh", of<One>(cosh)},
          {"tanh", of<One>(tanh)},
          {"asinh", of<One>(asinh)},
          {"acosh", of<One>(acosh)},
          {"atanh", of<One>(atanh)},
          {"erf", of<One>(erf)},
          {"floor", of<One>(floor)},
          {"ceil", of<One>(ceil)},
          {"round", of<One>(round)},
          {"trunc", of<One>(trunc)},
          {"clip", of(clip)},
          {"isnan", of<One>(isnan)},
          {"isinf", of<One>(isinf)},
          {"isfinite", of<One>(isfinite)},
          {"logical_not", of(logical_not)},
          {"logical_and", of(logical_and)},
          {"logical_or", of(logical_or)},
          {"logical_xor", of(logical_xor)}};
}

Calls operator_calls() {
  Calls all;
  const auto add_all = [&all](Calls some) { all.insert(all.end(), some.begin(), some.end()); };
  add_all(calls_of<Tensor>([](const Tensor& x) { -x; }));
  add_all(calls_of<Tensor, double>([](const Tensor& x, double b) { (x + b) * b - b / (x / b); }));
  add_all(calls_of<Tensor, Tensor>([](const Tensor& x, const Tensor& y) { x + y; }));
  add_all(calls_of<Tensor, Tensor>([](const Tensor& x, const Tensor& y) { x - y; }));
  add_all(calls_of<Tensor, Tensor>([](const Tensor& x, const Tensor& y) { x* y; }));
  add_all(calls_of<Tensor, Tensor>([](const Tensor& x, const Tensor& y) { x / y; }));
  return all;
}

std::vector<Row> arithmetic_rows() {
  return {{"add", of(add)},
          {"subtract", of(subtract)},
          {"multiply", of(multiply)},
          {"divide", of(divide)},
          {"operators", operator_calls},
          {"power", of<Two, Scaled>(power, power)},
          {"maximum", of<Two, Scaled>(maximum, maximum)},
          {"minimum", of<Two, Scaled>(minimum, minimum)},
          {"floor_divide", of<Two, Scaled>(floor_divide, floor_divide)},
          {"remainder", of<Two, Scaled>(remainder, remainder)},
          {"atan2", of<Two>(atan2)},
          {"logaddexp", of(logaddexp)},
          {"equal", of<Two, Scaled>(equal, equal)},
          {"not_equal", of<Two, Scaled>(not_equal, not_equal)},
          {"less", of<Two, Scaled>(less, less)},
          {"less_equal", of<Two, Scaled>(less_equal, less_equal)},
          {"greater", of<Two, Scaled>(greater, greater)},
          {"greater_equal", of<Two, Scaled>(greater_equal, greater_equal)}};
}

std::vector<Row> activation_rows() {
  using Relu = Tensor (*)(const Tensor&, const ReluShape&);
  using Flag = Tensor (*)(const Tensor&, bool);
  return {{"relu", of<One, Relu>(relu, relu)},
          {"relu6", of(relu6)},
          {"leaky_relu", of<One, Scaled>(leaky_relu, leaky_relu)},
          {"prelu", of(prelu)},
          {"elu", of<One, Scaled>(elu, elu)},
          {"selu", of(selu)},
          {"celu", of<One, Scaled>(celu, celu)},
          {"gelu", of<One, Flag>(gelu, gelu)},
          {"silu", of(silu)},
          {"mish", of(mish)},
          {"sigmoid", of(sigmoid)},
          {"log_sigmoid", of(log_sigmoid)},
          {"hard_sigmoid", of(hard_sigmoid)},
          {"hard_silu", of(hard_silu)},
          {"hard_tanh", of(hard_tanh)},
          {"softplus", of(softplus)},
          {"softsign", of(softsign)},
          {"hard_shrink", of<One, Scaled>(hard_shrink, hard_shrink)},
          {"soft_shrink", of<One, Scaled>(soft_shrink, soft_shrink)},
          {"tanh_shrink", of(tanh_shrink)},
          {"squareplus", of<One, Scaled>(squareplus, squareplus)},
          {"sparse_plus", of(sparse_plus)},
          {"exponential", of(exponential)},
          {"linear", of(linear)},
          {"activation", of(activation)},
          {"activation_names", of(activation_names)}};
}

std::vector<Row> reduction_rows() {
  return {{"sum", of(sum)},
          {"product", of(product)},
          {"mean", of(mean)},
          {"norm", of(norm)},
          {"variance", of(variance)},
          {"std_deviation", of(std_deviation)},
          {"logsumexp", of(logsumexp)},
          {"max", of<Tensor (*)(const Tensor&, const Axes&, bool)>(max)},
          {"min", of<Tensor (*)(const Tensor&, const Axes&, bool)>(min)},
          {"argmax", of(argmax)},
          {"argmin", of(argmin)},
          {"any_true", of(any_true)},
          {"all_true", of(all_true)},
          {"count_valid", of(count_valid)},
          {"segment_sum", of(segment_sum)},
          {"segment_mean", of(segment_mean)},
          {"segment_max", of(segment_max)},
          {"segment_min", of(segment_min)},
          {"cumsum", of(cumsum)},
          {"cumprod", of(cumprod)},
          {"sort", of(sort)},
          {"argsort", of(argsort)},
          {"top_k", of(top_k)}};
}

std::vector<Row> shape_rows() {
  using Permute = Tensor (*)(const Tensor&, std::span<const int>);
  return {{"repeat", of(repeat)},
          {"tile", of(tile)},
          {"pad", of(pad)},
          {"roll", of(roll)},
          {"broadcast_to", of(broadcast_to)},
          {"reshape", of(reshape)},
          {"flatten", of(flatten)},
          {"expand_dims", of(expand_dims)},
          {"squeeze", of(squeeze)},
          {"permute",
           [] {
             return calls_of<Tensor, std::vector<int>>([](const Tensor& x, const auto& order) {
               static_cast<Permute>(permute)(x, order);
             });
           }},
          {"transpose", of(transpose)},
          {"moveaxis", of(moveaxis)},
          {"concatenate", of(concatenate)},
          {"stack", of(stack)},
          {"slice", of(slice)},
          {"select", of(select)},
          {"take", of(take)},
          {"take_along_axis", of(take_along_axis)},
          {"scatter_add", of(scatter_add)},
          {"add_at", of(add_at)},
          {"one_hot", of(one_hot)},
          {"cast", of(cast)},
          {"where", of(where)},
          {"or_else", of(or_else)},
          {"reverse", of(reverse)},
          {"shift", of(shift)},
          {"take_step", of(take_step)},
          {"last_valid", of(last_valid)},
          {"first_valid", of(first_valid)},
          {"with_mask", of(with_mask)},
          {"drop_mask", of(drop_mask)},
          {"stop_gradient", of(stop_gradient)},
          {"steps_as_samples", of(steps_as_samples)},
          {"samples_as_steps", of(samples_as_steps)},
          {"windows", of(windows)},
          {"window_sizes", of(window_sizes)},
          {"overlap_add", of(overlap_add)},
          {"positions", of(positions)},
          {"sine_positions",
           of(static_cast<Tensor (*)(const Tensor&, const std::vector<double>&, const Tensor&)>(
               sine_positions))},
          {"rotate_by_position",
           of(static_cast<Tensor (*)(const Tensor&, const std::vector<double>&, const Tensor&)>(
               rotate_by_position))}};
}

Calls greedy_calls() {
  return calls_of<Tensor, std::int64_t, bool>(
      [](const Tensor& x, std::int64_t blank, bool merge_repeated) {
        ctc_greedy_decode(x, {.blank_index = blank, .merge_repeated = merge_repeated});
      });
}

/// With and without a CTCScorer, which gives numbers of any kind.
Calls beam_calls() {
  Calls all = calls_of<Tensor, std::int64_t, std::int64_t, std::int64_t>(
      [](const Tensor& x, std::int64_t blank, std::int64_t width, std::int64_t paths) {
        ctc_beam_decode(x, {.blank_index = blank, .beam_width = width, .top_paths = paths});
      });
  const Calls scored = calls_of<Tensor, double, double>([](const Tensor& x, double a, double b) {
    const CTCScorer scorer{.append = [a](auto, auto) { return a; }, .end = [b](auto) { return b; }};
    ctc_beam_decode(x, {.top_paths = 2, .scorer = scorer});
  });
  all.insert(all.end(), scored.begin(), scored.end());
  return all;
}

std::vector<Row> product_rows() {
  using Softmax = Tensor (*)(const Tensor&, int);
  using Standard = Tensor (*)(const Tensor&, const Axes&, double);
  return {{"matmul", of(matmul)},
          {"batched_matmul", of(batched_matmul)},
          {"einsum", of(einsum)},
          {"depthwise", of(depthwise)},
          {"attention", of(attention)},
          {"attention_scores", of(attention_scores)},
          {"additive_attention", of(additive_attention)},
          {"additive_attention_scores", of(additive_attention_scores)},
          {"recurrent", of(recurrent)},
          {"selective_scan", of(selective_scan)},
          {"causal_convolution", of(causal_convolution)},
          {"linear_recurrence", of(linear_recurrence)},
          {"linear_recurrence_with_state", of(linear_recurrence_with_state)},
          {"softmax", of<One, Softmax>(softmax, softmax)},
          {"log_softmax", of<One, Softmax>(log_softmax, log_softmax)},
          {"layer_normalize", of(layer_normalize)},
          {"unit_normalize", of(unit_normalize)},
          {"group_normalize", of(group_normalize)},
          {"batch_normalize", of(batch_normalize)},
          {"standardize", of<One, Standard>(standardize, standardize)},
          {"dropout", of(dropout)},
          {"alpha_dropout", of(alpha_dropout)},
          {"gaussian_dropout", of(gaussian_dropout)},
          {"gaussian_noise", of(gaussian_noise)},
          {"binary_cross_entropy", of(detail::binary_cross_entropy)},
          {"sparse_cross_entropy", of(detail::sparse_cross_entropy)},
          {"crf_negative_log_likelihood", of(crf_negative_log_likelihood)},
          {"crf_decode", of(crf_decode)},
          {"crf_decode_best", of(crf_decode_best)},
          {"ctc_negative_log_likelihood", of(ctc_negative_log_likelihood)},
          {"ctc_greedy_decode", greedy_calls},
          {"ctc_beam_decode", beam_calls}};
}

}  // namespace

std::vector<Row> operation_rows() {
  std::vector<Row> all;
  for (auto& some : {unary_rows(), arithmetic_rows(), activation_rows(), reduction_rows(),
                     shape_rows(), product_rows()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace maskgrad::tests
