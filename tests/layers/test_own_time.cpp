#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

// Layers of one's own along time: what they declare, keep, and are held to.

namespace maskgrad::tests::test_own_time {

const Spec spec = Spec::f64({any, any, 3});

/// The sum of each sequence's steps so far, at each step.
struct RunningSum {
  static constexpr std::string_view kind = "RunningSum";
  static constexpr MaskContract contract{.role = MaskRole::supports, .why = "adds steps up"};
  static constexpr TimeContract time{.look_back = endless, .state = "the sum so far"};
  LayerInfo info{kind, ""};

  Tensor forward(const Tensor& x) const {
    Tensor y = cumsum(x, 1);
    if (auto* slot = extend::stream_slot(x)) {
      if (!slot->tensors.empty()) y = y + expand_dims(slot->tensors[0], 1);
      const Tensor total = sum(x, 1);
      slot->tensors = {slot->tensors.empty() ? total : total + slot->tensors[0]};
    }
    return y;
  }
};

/// Each step less the one before: a stream keeps the steps that it reads.
template <int declared>
struct Difference {
  static constexpr std::string_view kind = "Difference";
  static constexpr MaskContract contract{.role = MaskRole::supports, .why = "reads two steps"};
  static constexpr TimeContract time{.look_back = declared};
  LayerInfo info{kind, ""};
  Tensor forward(const Tensor& x) const { return x - shift(x, 1); }
};

/// It declares nothing along time.
struct Silent {
  static constexpr std::string_view kind = "Silent";
  static constexpr MaskContract contract{.role = MaskRole::supports, .why = "reads steps"};
  LayerInfo info{kind, ""};
  Tensor forward(const Tensor& x) const { return cumsum(x, 1); }
};

/// A block by hand with a convolution that comes late inside.
struct LateBlock {
  static constexpr std::string_view kind = "LateBlock";
  static constexpr MaskContract contract{.role = MaskRole::supports, .why = "convolves"};
  static constexpr TimeContract time{.look_back = 1, .look_ahead = 1};
  LayerInfo info{kind, ""};
  MaskedConv1D convolve{{.filters = 3, .kernel_size = 3, .padding = "same"}};
  Tensor forward(const Tensor& x) { return x + convolve(x); }
  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("convolve", self.convolve);
  }
};

TEST_CASE("a layer that keeps a state of its own, and one whose steps are kept for it") {
  RunningSum sums;
  build(sums, spec.masked(2));
  const auto report = check_time_laws(sums, {spec});
  CHECK_MESSAGE(report, report.str());
  Difference<1> difference;
  build(difference, spec.masked(2));
  const auto other = check_time_laws(difference, {spec});
  CHECK_MESSAGE(other, other.str());
  Sequential both{Difference<1>{}, RunningSum{}, Difference<1>{}};
  both.build(spec.masked(2));
  CHECK(time_contract(both).look_back == endless);
  const auto together = check_time_laws(both, {spec});
  CHECK_MESSAGE(together, together.str());
}

TEST_CASE("who declares too little or too much is found out") {
  Difference<0> little;
  build(little, spec.masked(2));
  CHECK(check_time_laws(little, {spec})
            .str()
            .find("it declares to look back 0 steps, and was seen "
                  "to look 1") != std::string::npos);
  Difference<3> much;
  build(much, spec.masked(2));
  CHECK(check_time_laws(much, {spec})
            .str()
            .find("it declares to look back 3 steps, and was seen "
                  "to look 1") != std::string::npos);
  const auto seen = measured_time(much, {spec});
  CHECK(seen.back == 1);
  CHECK(seen.ahead == 0);
  CHECK(seen.ahead_there == 0);
}

TEST_CASE("who declares nothing, or comes late inside of a block, does not stream and says so") {
  Sequential silent{Silent{}};
  silent.build(spec.masked(2));
  CHECK_THROWS_WITH_AS(
      Stream{silent},
      "Stream: Silent 'silent' does not stream: it declares no time contract; ways "
      "out: static constexpr mg::TimeContract time{...} in its class",
      OptionError);
  Sequential late{LateBlock{}};
  late.build(spec.masked(2));
  CHECK_THROWS_WITH_AS(Stream{late}, doctest::Contains("only Sequential and Functional wait"),
                       OptionError);
  Sequential declared{Lambda{[](const Tensor& x) { return cumsum(x, 1); },
                             {.role = MaskRole::supports, .why = "adds steps up"}}};
  declared.build(spec.masked(2));
  CHECK_THROWS_AS(Stream{declared}, OptionError);
  Sequential inside{Lambda{[](const Tensor& x) { return x - shift(x, 1); },
                           {.role = MaskRole::supports, .why = "reads two steps"},
                           {.time = TimeContract{.look_back = 1}}}};
  inside.build(spec.masked(2));
  const auto report = check_time_laws(inside, {spec});
  CHECK_MESSAGE(report, report.str());
}

TEST_CASE("a layer that reads neighbors of two sequences is refused in a push, by name") {
  Functional model;
  const auto x = model.input("x");
  model.outputs(
      {model.add(MultiHeadAttention{{.num_heads = 1, .key_dim = 2, .window = 1}}, {x, x})});
  model.build({spec.masked(2)}, Seed{1});
  const Evaluate evaluate;
  Stream stream(model);
  CHECK_THROWS_WITH_AS(stream.push(random_normal({1, 3, 3}, Seed{1}, DType::f64)),
                       doctest::Contains("2 inputs in a stream"), ShapeError);
}

TEST_CASE("windows of attention look as far as they say, and no further") {
  for (const bool causal : {true, false}) {
    Sequential model{MultiHeadAttention{{.num_heads = 2,
                                         .key_dim = 4,
                                         .use_causal_mask = causal,
                                         .window = 3,
                                         .rotary_max_wavelength = 50}}};
    model.build(spec.masked(2), Seed{1});
    const auto time = time_contract(model);
    CHECK(time.look_back == 3);
    CHECK(time.look_ahead == (causal ? 0 : 3));
    const auto report = check_time_laws(model, {spec});
    CHECK_MESSAGE(report, report.str());
  }
}

}  // namespace maskgrad::tests::test_own_time
