#include <maskgrad/layers/metrics/values.hpp>

#include <maskgrad/autograd/check.hpp>
#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>

namespace maskgrad::metrics {
namespace {

std::string place(const Tensor& x, std::int64_t i, std::string_view name) {
  return checking::place(std::string(name), checking::padded_index(x, i));
}

}  // namespace

Weighted weighted(std::string_view where, const losses::Pair& pair, int axes,
                  const Tensor& sample_weight) {
  const Shape shape = pair.prediction.shape().sub(0, axes);
  const Mask& mask = pair.prediction.mask();
  if (!sample_weight.defined()) {
    const Tensor ones = full(shape, 1, DType::f64);
    return {pair.target, pair.prediction, mask ? with_mask(ones, mask) : ones};
  }
  const Tensor like = rows::make_zeros(shape, DType::f64, mask);
  const Tensor w = losses::weights_at(where, like, sample_weight);
  if (!w.has_mask()) return {pair.target, pair.prediction, w};
  return {with_mask(pair.target, w.mask()), with_mask(pair.prediction, w.mask()), w};
}

void check_labels(std::string_view where, const Tensor& y_true, const Tensor& weight) {
  const auto weights = weight.defined() ? rows::of<double>(weight) : std::span<const double>();
  for (std::int64_t i = 0; i < rows::total(y_true); ++i) {
    const double label = checking::value_at(y_true, i);
    if (label == 0 || label == 1) continue;
    if (!weights.empty() && weights[static_cast<std::size_t>(i)] == 0) continue;
    fail<IndexError>(where, "{} of {} is {}; expected labels of 0 and 1",
                     place(y_true, i, "y_true"), y_true.describe(), label);
  }
}

void check_ids(std::string_view where, std::string_view what, const Tensor& ids,
               std::int64_t classes) {
  const auto values = rows::of<std::int64_t>(ids);
  for (std::int64_t i = 0; i < rows::total(ids); ++i) {
    const auto id = values[static_cast<std::size_t>(i)];
    if (id >= 0 && id < classes) continue;
    fail<IndexError>(where, "{} of {} is {}; expected ids of {} classes, from 0 on",
                     place(ids, i, what), ids.describe(), id, classes);
  }
}

Tensor labels_for(std::string_view where, const Tensor& y_true, const Tensor& y_pred) {
  if (y_true.dtype() != DType::i64 || y_true.rank() + 1 != y_pred.rank()) return y_true;
  check::real(where, y_pred);
  const auto classes = y_pred.shape().back();
  if (classes == 1) return expand_dims(y_true, -1);
  const Classified pair = classified(where, y_true, y_pred);
  return one_hot(pair.ids, classes, y_pred.dtype());
}

Weighted weighted_rows(std::string_view where, const Tensor& y_true, const Tensor& y_pred,
                       const Tensor& sample_weight) {
  const auto pair = losses::whole_rows(where, y_true, y_pred);
  return weighted(where, pair, pair.prediction.rank() - 1, sample_weight);
}

Classified classified(std::string_view where, const Tensor& ids, const Tensor& scores) {
  check::ids(where, ids);
  check::real(where, scores);
  if (scores.rank() < 1 || ids.shape() != scores.shape().sub(0, scores.rank() - 1)) {
    fail<ShapeError>(where, "y_true {} for y_pred {}; expected ids [...] and scores [..., classes]",
                     ids.describe(), scores.describe());
  }
  check::inner_axis(where, scores, -1, "mask whole positions");
  const auto pair = losses::together(ids, scores);
  check_ids(where, "y_true", pair.target, scores.shape().back());
  return {pair.target, pair.prediction};
}

}  // namespace maskgrad::metrics
