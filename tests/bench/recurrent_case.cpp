#include "bench/recurrent_case.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>

namespace maskgrad::bench {

std::string Size::name() const {
  return fmt::format("b{}_t{}_f{}_h{}", batch, time, features, units);
}

std::vector<std::int64_t> lengths_of(const Size& size, const Valid& valid) {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(size.batch), size.time);
  if (valid.share == 1) return lengths;
  std::mt19937_64 random(4685);  // its shares are within 4 % of the nominal ones at every size
  const auto most = static_cast<std::uint64_t>(2 * valid.share * static_cast<double>(size.time));
  for (auto& length : lengths) {
    length = std::min<std::int64_t>(size.time, 1 + static_cast<std::int64_t>(random() % most));
  }
  return lengths;
}

Tensor input_of(const Size& size, const Valid& valid) {
  const Tensor x = random_normal({size.batch, size.time, size.features}, Seed{1});
  if (valid.share == 1) return x;
  std::mt19937_64 random(1);
  const auto lengths = lengths_of(size, valid);
  std::vector<bool> bits(static_cast<std::size_t>(size.batch * size.time));
  auto begin = bits.begin();
  for (const auto length : lengths) {
    std::fill(begin, begin + length, true);
    if (valid.holes) std::shuffle(begin, begin + size.time, random);
    begin += size.time;
  }
  return x.with_mask(Mask::keep(bits, {size.batch, size.time}));
}

double real_share(const Tensor& x) {
  if (!x.has_mask()) return 1;
  return static_cast<double>(x.mask().valid()) / static_cast<double>(x.mask().shape().count());
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

double sgemm_peak(int threads) {
  static std::map<int, double> known;
  if (known.contains(threads)) return known[threads];
  set_num_threads(threads);
  constexpr std::int64_t n = 2048;
  const Tensor a = random_normal({n, n}, Seed{1}), b = random_normal({n, n}, Seed{2});
  double best = 0;
  for (int i = 0; i < 6; ++i) {
    const auto start = std::chrono::steady_clock::now();
    matmul(a, b);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::max(best, 2e-9 * n * n * n / took.count());
  }
  return known[threads] = best;
}

}  // namespace maskgrad::bench
