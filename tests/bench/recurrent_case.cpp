#include "bench/recurrent_case.hpp"

#include <fmt/core.h>

namespace maskgrad::bench {

std::string Size::name() const {
  return fmt::format("b{}_t{}_f{}_h{}", batch, time, features, units);
}

Tensor input_of(const Size& size, const Valid& valid) {
  const Tensor x = random_normal({size.batch, size.time, size.features}, Seed{1});
  return valid.share == 1 ? x : x.with_mask(mask_of(size.batch, size.time, valid));
}

double training_flop(const Size& size, int gates, const Tensor& x) {
  const double rows = real_share(x) * static_cast<double>(size.batch * size.time);
  return 6.0 * gates * static_cast<double>(size.units * (size.features + size.units)) * rows;
}

namespace {

template <class L>
Sequential with_head(const std::string& shape, std::int64_t units) {
  const L layer{{.units = units, .return_sequences = true}};
  if (shape == "bidirectional") return Sequential{Bidirectional{layer}, Dense{{.units = 8}}};
  if (shape == "stacked2") return Sequential{layer, L(layer.options()), Dense{{.units = 8}}};
  return Sequential{layer, Dense{{.units = 8}}};
}

}  // namespace

Sequential model_of(const std::string& layer, const std::string& shape, const Size& size) {
  Sequential model =
      layer == "LSTM" ? with_head<LSTM>(shape, size.units) : with_head<GRU>(shape, size.units);
  model.build(Spec::f32({any, any, size.features}), Seed{1});
  return model;
}

Training::Training(Sequential model, const Size& size, const Tensor& x)
    : model_(std::move(model)),
      x_(x),
      target_(random_normal({size.batch, size.time, 8}, Seed{2})),
      adam_(model_.parameters()) {
  if (x.has_mask()) target_ = target_.with_mask(x.mask());
}

void Training::step() {
  const Loss loss = mean_squared_error(target_, model_(x_));
  loss.backward();
  adam_.step();
}

}  // namespace maskgrad::bench
