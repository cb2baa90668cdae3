#include <maskgrad/optim/per_sequence.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/checkpoint.hpp>
#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/gradients.hpp>
#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/null_function.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view per_sequence_op = "per_sequence_gradients";

using SequenceLoss = std::function<Loss(const std::vector<Tensor>&)>;

std::int64_t batch_of(const std::vector<Tensor>& inputs) {
  if (inputs.empty()) fail<ShapeError>(per_sequence_op, "got no inputs; expected one or more");
  for (const auto& x : inputs) {
    if (x.rank() >= 1 && !x.is_meta() && x.shape()[0] == inputs[0].shape()[0]) continue;
    fail<ShapeError>(per_sequence_op, "an input is {} beside {}; expected the same batch",
                     x.describe(), inputs[0].describe());
  }
  return inputs[0].shape()[0];
}

/// Gradients of one sequence, written into its place of each result.
class OneSequence {
 public:
  OneSequence(const SequenceLoss& loss, const std::vector<Tensor>& inputs,
              const std::vector<Parameter>& parameters, const std::vector<Tensor>& results)
      : loss_(loss), inputs_(inputs), parameters_(parameters), results_(results) {}

  /// The norm; below 0 where there is no loss.
  double run(std::int64_t i, NoisePosition noise) const {
    noise.sequence += i;
    const NoiseStep step(std::move(noise));
    const detail::CheckpointScope alone(detail::CheckpointCall::alone);
    std::vector<Tensor> own, in;
    for (const auto& p : parameters_) own.push_back(p.tensor().value().with_grad());
    for (const auto& x : inputs_) in.push_back(slice(x.value(), 0, i, i + 1));
    const ParameterScope scope(parameters_, own);
    const Loss loss = loss_(in);
    if (loss.count() == 0) return -1;
    const Tensor y = loss.tensor();
    const auto found =
        y.on_tape() ? gradients(y, own, {.allow_unused = true}) : std::vector<Tensor>(own.size());
    double squares = 0;
    for (std::size_t k = 0; k < own.size(); ++k) squares += put(found[k], results_[k], i);
    return std::sqrt(squares);
  }

 private:
  /// The sum of the squares.
  static double put(const Tensor& g, const Tensor& result, std::int64_t i) {
    const auto width = result.shape().count(1, result.rank());
    return extend::dispatch_real(per_sequence_op, result.dtype(), [&]<class T>() -> double {
      T* to = rows::of_mutable<T>(result).data() + i * width;
      if (!g.defined()) {
        std::fill_n(to, width, T(0));
        return 0;
      }
      std::copy_n(rows::of<T>(g).data(), width, to);
      return kernels::simd::lines<T>().squares(to, T(0), width);
    });
  }

  const SequenceLoss& loss_;
  const std::vector<Tensor>& inputs_;
  const std::vector<Parameter>& parameters_;
  const std::vector<Tensor>& results_;
};

}  // namespace

SequenceGradients per_sequence_gradients(const SequenceLoss& loss,
                                         const std::vector<Tensor>& inputs,
                                         const std::vector<Parameter>& parameters) {
  detail::require_function(per_sequence_op, loss);
  const auto batch = batch_of(inputs);
  SequenceGradients all;
  for (const auto& p : parameters) {
    all.gradients.push_back(rows::make(Shape{batch} + p.shape(), p.dtype()));
  }
  all.norms = rows::make_zeros({batch}, DType::f64);
  double* norms = rows::of_mutable<double>(all.norms).data();
  const OneSequence one(loss, inputs, parameters, all.gradients);
  const NoisePosition noise = detail::noise_position_of(parameters);
  extend::parallel_for(batch, [&](std::int64_t i) { norms[i] = one.run(i, noise); });
  if (std::none_of(norms, norms + batch, [](double v) { return v < 0; })) return all;
  auto bits = checked::vector<std::uint8_t>(per_sequence_op, batch);
  for (std::int64_t i = 0; i < batch; ++i) bits[static_cast<std::size_t>(i)] = norms[i] >= 0;
  const Mask there = masks::from_bits(bits, {batch}, masks::origin_here(per_sequence_op));
  for (auto& g : all.gradients) g = g.with_mask(there);
  all.norms = all.norms.with_mask(there);
  return all;
}

std::vector<Tensor> SequenceGradients::clipped_mean(double max_norm) const {
  if (!(max_norm > 0)) {
    fail<OptionError>("clipped_mean", "max_norm is {}; expected a number above 0", max_norm);
  }
  const double count = static_cast<double>(norms.shape()[0]);
  const auto norm = rows::of<double>(norms);
  std::vector<Tensor> means;
  for (const auto& g : gradients) {
    const Shape shape = g.shape().sub(1, g.rank());
    const Tensor mean = rows::make_zeros(shape, g.dtype());
    extend::dispatch_real("clipped_mean", g.dtype(), [&]<class T>() {
      const T* from = rows::of<T>(g).data();
      T* to = rows::of_mutable<T>(mean).data();
      const auto width = shape.count();
      for (std::size_t i = 0; i < norm.size(); ++i) {
        const double scale = std::min(1.0, max_norm / norm[i]) / count;
        const T* own = from + static_cast<std::int64_t>(i) * width;
        for (std::int64_t k = 0; k < width; ++k) to[k] += static_cast<T>(scale * own[k]);
      }
    });
    means.push_back(mean);
  }
  return means;
}

}  // namespace maskgrad
