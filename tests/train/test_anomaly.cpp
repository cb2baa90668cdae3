#include <doctest/doctest.h>

#include <limits>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_anomaly {
namespace {

/// A layer whose forward, or only its backward, is not finite at 0.
class Fragile {
 public:
  static constexpr std::string_view kind = "Fragile";
  static constexpr MaskContract contract{.role = MaskRole::propagates, .why = "inside a row"};
  explicit Fragile(bool forward) : info(kind, ""), forward_(forward) {}
  Tensor forward(const Tensor& x) const {
    const Tensor zero = x * 0.0;
    return forward_ ? log(zero) : sqrt(zero);
  }
  LayerInfo info;

 private:
  bool forward_;
};

Tensor input() {
  return tensor({1., 2., 3., 4., 5., 6.}, {3, 2}).with_mask(Mask::drop({false, true, false}, {3}));
}

TEST_CASE("the first value that is not finite is named by operation, layer and position") {
  Sequential model{Dense{{.units = 2, .name = "head"}}, Fragile{true}};
  model.build(Spec::f64({any, 2}).masked(1));
  CHECK(sum(model(input())).item() == -std::numeric_limits<double>::infinity());
  const DetectAnomaly guard;
  CHECK(throws<GradError>([&] { model(input()); },
                          "log in Fragile 'fragile': forward gave f64[3, 2]",
                          "with -inf at [0, 0], the first value that is not finite"));
}

TEST_CASE("so is the first gradient, in the backward pass, by the layer of the forward pass") {
  Sequential model{Dense{{.units = 2}}, Fragile{false}};
  model.build(Spec::f64({any, 2}).masked(1));
  const DetectAnomaly guard;
  const Tensor y = sum(model(input()));
  CHECK(throws<GradError>([&] { y.backward(); },
                          "sqrt in Fragile 'fragile': backward gave input 0 the gradient f64[3, 2]",
                          "inf at [0, 0], the first that is not finite"));
  for (const auto& p : model.parameters()) CHECK(!p.grad().defined());
}

TEST_CASE("what is finite passes, guards may be nested, and without one nothing is looked at") {
  CHECK(!DetectAnomaly::current());
  Sequential model = toy_model(DType::f64);
  {
    const DetectAnomaly outer;
    {
      const DetectAnomaly inner;
      CHECK(DetectAnomaly::current() == &inner);
    }
    CHECK(DetectAnomaly::current() == &outer);
    sum(model(ones({2, 3, 3}, DType::f64))).backward();
  }
  CHECK(!DetectAnomaly::current());
}

TEST_CASE("in a training the batch itself is looked at first") {
  std::vector<std::vector<double>> values{{1, 2, 3},
                                          {1, 2, std::numeric_limits<double>::infinity()}};
  const Dataset data =
      Dataset::from_memory({from_sequences(values, {3})}, tensor<std::int64_t>({0, 1}, {2}));
  Sequential model = toy_model(DType::f64);
  SGD sgd{model.parameters()};
  CHECK(throws<GradError>(
      [&] {
        fit(model, sgd, Batches{data, {.shuffle = false}},
            {.loss = toy_loss, .progress = Progress::off, .detect_anomaly = true});
      },
      "fit: epoch 1, step 1 (batch 1 of 1): fit: input 0 of the batch, f64[2, 1, 3]",
      "has inf at [1, 0, 2], at a valid position"));
}

}  // namespace
}  // namespace maskgrad::tests::test_anomaly
