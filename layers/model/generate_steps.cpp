#include <maskgrad/layers/model/generate_steps.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/mask/mask_ops.hpp>

namespace maskgrad::detail {

std::vector<Ids> ids_of(const Tensor& ids) {
  const auto values = rows::of<std::int64_t>(ids);
  const auto batch = ids.shape()[0], time = ids.shape()[1];
  std::vector<Ids> sequences;
  const auto lengths =
      ids.has_mask() ? ids.mask().lengths() : Ids(static_cast<std::size_t>(batch), time);
  std::int64_t row = 0;
  for (const auto length : lengths) {
    sequences.emplace_back(values.begin() + row, values.begin() + row + length);
    row += length;
  }
  return sequences;
}

Tensor as_ids(const std::vector<Ids>& sequences) {
  std::vector<std::int64_t> lengths, values;
  for (const auto& s : sequences) {
    lengths.push_back(std::ssize(s));
    values.insert(values.end(), s.begin(), s.end());
  }
  const Mask mask = Mask::from_lengths(lengths);
  return rows::share(tensor(values, {std::ssize(values)}), mask.shape(), mask);
}

Tensor one_step(const std::vector<std::int64_t>& ids, const std::vector<bool>& open) {
  return with_mask(tensor(ids, {std::ssize(ids), 1}), Mask::keep(open, {std::ssize(open), 1}));
}

std::vector<double> log_softmax_of(std::vector<double> logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double v : logits) sum += std::exp(v - most);
  for (double& v : logits) v -= most + std::log(sum);
  return logits;
}

std::vector<std::vector<double>> log_probabilities(const Tensor& y, const GenerateOptions& o) {
  if (y.rank() != 3 || y.shape()[2] == 0 || !is_real(y.dtype())) {
    fail<ShapeError>("generate",
                     "the model gives {}; expected [batch, time, ids], the logits of the "
                     "next id",
                     y.describe());
  }
  const auto& steps = y.mask().impl();
  const auto lengths = y.mask().lengths();
  const auto ids = y.shape()[2];
  std::vector<std::vector<double>> all(lengths.size());
  extend::dispatch_real("generate", y.dtype(), [&]<class T>() {
    const T* values = rows::of<T>(y).data();
    for (std::size_t s = 0; s < lengths.size(); ++s) {
      if (lengths[s] == 0) continue;
      const T* last = values + (steps.first[static_cast<std::int64_t>(s)] + lengths[s] - 1) * ids;
      std::vector<double> p(last, last + ids);
      for (std::size_t i = 0; i < p.size(); ++i) {
        const bool number = !std::isnan(p[i]) && p[i] != std::numeric_limits<double>::infinity();
        if (number && (o.from_logits || p[i] >= 0)) continue;
        fail<OptionError>("generate", "the model gives {} for id {} of sequence {}; expected {}",
                          p[i], i, s,
                          o.from_logits ? "numbers" : "probabilities, or .from_logits = true");
      }
      if (!o.from_logits) {
        for (double& v : p) v = std::log(v);
      }
      if (*std::max_element(p.begin(), p.end()) == -std::numeric_limits<double>::infinity()) {
        fail<OptionError>("generate", "the model gives sequence {} no id that can follow", s);
      }
      all[s] = log_softmax_of(std::move(p));
    }
  });
  return all;
}

}  // namespace maskgrad::detail
