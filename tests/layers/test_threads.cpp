#include <doctest/doctest.h>

#include <algorithm>

#include "bench/layer_case.hpp"

namespace maskgrad::tests::test_threads {
namespace {

void append(std::vector<float>& to, const Tensor& x) {
  if (!x.defined() || x.dtype() != DType::f32) return;
  const auto values = x.to_vector<float>(-7);
  to.insert(to.end(), values.begin(), values.end());
}

/// Output, gradients of inputs and parameters.
std::vector<float> run(AnyLayer& layer, const Tensors& inputs) {
  const NoiseStep begin({});
  const Tensor y = layer.call(inputs).front();
  std::vector<float> all;
  append(all, y);
  if (y.on_tape()) {
    Tensor seed = random_normal(y.shape(), Seed{9});
    if (y.has_mask()) seed = seed.with_mask(y.mask());
    tape::backward({{y}}, {{seed}});
  }
  for (const auto& x : inputs) {
    if (!is_real(x.dtype())) continue;
    append(all, x.grad());
    x.clear_grad();
  }
  for (const auto& p : parameters(layer)) {
    append(all, p.grad());
    p.clear_grad();
  }
  return all;
}

std::vector<float> run(const LossFunction& loss, const Tensor& target, const Tensor& prediction) {
  const Loss made = loss(target, prediction);
  made.backward();
  std::vector<float> all{static_cast<float>(made.value())};
  append(all, prediction.grad());
  prediction.clear_grad();
  return all;
}

/// Checks that `f` gives the same bits on 1, 2, 3 and 4 threads.
template <class F>
void same_on_threads(F&& f) {
  const int before = num_threads();
  set_num_threads(1);
  const auto first = f();
  CHECK(!first.empty());
  for (const int threads : {2, 3, 4}) {
    set_num_threads(threads);
    CHECK(f() == first);
  }
  set_num_threads(before);
}

}  // namespace

// Sizes at which the work is split, if it is ever.
TEST_CASE("every layer gives the same bits on 1, 2, 3 and 4 threads") {
  for (bench::LayerCase c : bench::layer_cases()) {
    if (!c.left_out.empty()) continue;
    CAPTURE(c.kind);
    c.batch = std::min<std::int64_t>(c.batch, 4);
    c.time = std::min<std::int64_t>(c.time, 64);
    AnyLayer layer = bench::layer_of(c);
    for (const auto& valid : bench::valids) {
      if (valid.share != 1 && !valid.holes) continue;
      const Tensors inputs = bench::inputs_of(c, valid);
      same_on_threads([&] { return run(layer, inputs); });
    }
  }
}

TEST_CASE("every loss gives the same bits on 1, 2, 3 and 4 threads") {
  const Shape shape{16, 128, 64};
  const Mask mask = bench::mask_of(16, 128, bench::valids.back());
  for (const auto name : loss_names()) {
    if (name == "CTC") continue;  // has a test of its own
    CAPTURE(name);
    const bool of_ids = name == "SparseCategoricalCrossentropy";
    const Tensor target = of_ids ? cast(random_uniform({16, 128}, Seed{2}, 0, 64), DType::i64)
                                 : softmax(random_normal(shape, Seed{2}));
    const Tensor prediction = softmax(random_normal(shape, Seed{1})).with_mask(mask).with_grad();
    const auto loss = make_loss_function(name);
    same_on_threads([&] { return run(loss, target.with_mask(mask), prediction); });
  }
}

}  // namespace maskgrad::tests::test_threads
