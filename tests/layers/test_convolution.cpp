#include "layers/window_reference.hpp"

namespace maskgrad::tests::test_convolution {
namespace {

/// Convolution of one sequence, all of `o` spelled out; kernel [kernel_size, features / groups,
/// filters].
Steps convolved(const Steps& x, const Tensor& kernel, const Tensor& bias, const Conv1DOptions& o,
                std::int64_t features) {
  const auto span = (o.kernel_size - 1) * o.dilation_rate + 1;
  const auto steps = static_cast<std::int64_t>(x.size());
  auto [before, after] = same_padding(steps, span, o.strides);
  if (o.padding != "same") before = o.padding == "causal" ? span - 1 : 0;
  if (o.padding != "same") after = 0;
  const Steps wide = x.empty() ? x : padded(x, before, after, static_cast<std::size_t>(features));
  const auto in = features / o.groups, out = o.filters / o.groups;
  Steps y;
  for (std::int64_t t = 0; t + span <= static_cast<std::int64_t>(wide.size()); t += o.strides) {
    auto& step = y.emplace_back();
    for (std::int64_t f = 0; f < o.filters; ++f) {
      double sum = bias.defined() ? bias.item({f}) : 0;
      for (std::int64_t j = 0; j < o.kernel_size; ++j) {
        const auto& from = wide[static_cast<std::size_t>(t + j * o.dilation_rate)];
        for (std::int64_t i = 0; i < in; ++i) {
          sum += from[static_cast<std::size_t>(f / out * in + i)] * kernel.item({j, i, f});
        }
      }
      step.push_back(sum);
    }
  }
  return y;
}

std::vector<Steps> convolved(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                             const Conv1DOptions& o) {
  std::vector<Steps> all;
  for (const auto& s : sequences(x)) all.push_back(convolved(s, kernel, bias, o, x.size(2)));
  return all;
}

template <class F>
void over_options(F&& f) {
  for (const char* padding : {"valid", "same", "causal"}) {
    for (const std::int64_t kernel_size : {1, 2, 3, 4}) {
      for (const std::int64_t strides : {1, 2, 5}) {
        for (const std::int64_t dilation : {1, 2}) {
          CAPTURE(padding);
          CAPTURE(kernel_size);
          CAPTURE(strides);
          CAPTURE(dilation);
          f(Conv1DOptions{.filters = 4,
                          .kernel_size = kernel_size,
                          .strides = strides,
                          .padding = padding,
                          .dilation_rate = dilation});
        }
      }
    }
  }
}

TEST_CASE("Conv1D and MaskedConv1D convolve each sequence as plain loops do, in groups too") {
  over_options([](Conv1DOptions o) {
    const bool stays = o.strides == 1 && (o.padding != "valid" || o.kernel_size == 1);
    for (const std::int64_t groups : {1, 2, 4}) {
      o.groups = groups;
      const auto masked = with_weights(MaskedConv1D{o}, 4);
      const auto p = parameters(masked);
      CHECK(p[0].shape() == Shape{o.kernel_size, 4 / groups, 4});
      const Tensor x = masked_steps(4);
      compare(masked.forward(x), convolved(x, p[0].value(), p[1].value(), o), x, stays);
      const auto plain = with_weights(Conv1D{o}, 4);
      const auto q = parameters(plain);
      for (const std::int64_t steps : {0, 1, 6, 7}) {
        const Tensor y = plain_steps(steps, 4);
        compare(plain.forward(y), convolved(y, q[0].value(), q[1].value(), o), y, stays);
      }
    }
  });
}

TEST_CASE("DepthwiseConv1D and SeparableConv1D: each feature by itself, then a matrix") {
  over_options([](const Conv1DOptions& o) {
    for (const std::int64_t multiplier : {1, 3}) {
      const auto depthwise = with_weights(DepthwiseConv1D{{.kernel_size = o.kernel_size,
                                                           .strides = o.strides,
                                                           .padding = o.padding,
                                                           .depth_multiplier = multiplier,
                                                           .dilation_rate = o.dilation_rate}},
                                          2);
      const auto p = parameters(depthwise);
      CHECK(p[0].shape() == Shape{o.kernel_size, 2, multiplier});
      Conv1DOptions each = o;  // kernel [j, i, d] is that of group i's filter i * multiplier + d
      each.groups = 2;
      each.filters = 2 * multiplier;
      const Tensor x = plain_steps(7, 2);
      const Shape grouped{o.kernel_size, 1, 2 * multiplier};
      compare(depthwise.forward(x),
              convolved(x, reshape(p[0].value(), grouped), p[1].value(), each), x, false);

      const auto separable = with_weights(SeparableConv1D{{.filters = 3,
                                                           .kernel_size = o.kernel_size,
                                                           .strides = o.strides,
                                                           .padding = o.padding,
                                                           .dilation_rate = o.dilation_rate,
                                                           .depth_multiplier = multiplier}},
                                          2);
      const auto q = parameters(separable);
      CHECK(q[0].shape() == Shape{o.kernel_size, 2, multiplier});
      CHECK(q[1].shape() == Shape{1, 2 * multiplier, 3});
      const Conv1DOptions point{.filters = 3, .kernel_size = 1};
      std::vector<Steps> expected;
      for (const auto& s : convolved(x, reshape(q[0].value(), grouped), {}, each)) {
        expected.push_back(convolved(s, q[1].value(), q[2].value(), point, 2 * multiplier));
      }
      compare(separable.forward(x), expected, x, false);
    }
  });
}

TEST_CASE("the way out of DepthwiseConv1D: MaskedConv1D in groups computes the same") {
  const auto depthwise = with_weights(
      DepthwiseConv1D{{.kernel_size = 3, .padding = "same", .depth_multiplier = 2}}, 3);
  const auto masked = with_weights(
      MaskedConv1D{{.filters = 6, .kernel_size = 3, .padding = "same", .groups = 3}}, 3);
  const auto from = parameters(depthwise), to = parameters(masked);
  to[0].set(reshape(from[0].value(), {3, 1, 6}));
  to[1].set(from[1].value());
  const Tensor x = plain_steps(5, 3);
  compare(masked.forward(x), sequences(depthwise.forward(x)), x, false);
}

/// Transposed convolution of one sequence as Keras's JAX backend has it: zeros between the steps
/// and around them, then the kernel from back to front.
Steps transposed(const Steps& x, const Tensor& kernel, const Tensor& bias,
                 const Conv1DTransposeOptions& o, std::size_t features) {
  const auto k = (o.kernel_size - 1) * o.dilation_rate + 1, s = o.strides;
  std::int64_t left = k - 1;
  std::int64_t right = k - 1 + o.output_padding.value_or(std::max(k, s) - k);
  if (o.padding == "same") {
    const auto all = o.output_padding ? k + k % 2 - 2 + *o.output_padding : s + k - 2;
    left = std::min(all / 2 + all % 2, k - 1);
    right = all - left;
  }
  Steps apart;
  for (std::size_t t = 0; t < x.size(); ++t) {
    if (t > 0) apart = padded(apart, 0, s - 1, features);
    apart.push_back(x[t]);
  }
  const auto size = static_cast<std::int64_t>(apart.size()) + left + right;
  Steps wide = padded(apart, left, std::max<std::int64_t>(right, 0), features);
  Steps y;
  for (std::int64_t t = 0; t + k <= size; ++t) {
    auto& step = y.emplace_back();
    for (std::int64_t f = 0; f < o.filters; ++f) {
      double sum = bias.item({f});
      for (std::int64_t j = 0; j < o.kernel_size; ++j) {
        const auto& from = wide[static_cast<std::size_t>(t + k - 1 - j * o.dilation_rate)];
        for (std::size_t i = 0; i < features; ++i) {
          sum += from[i] * kernel.item({j, f, static_cast<std::int64_t>(i)});
        }
      }
      step.push_back(sum);
    }
  }
  return y;
}

void check_transposed(const Conv1DTransposeOptions& o) {
  const auto layer = with_weights(Conv1DTranspose{o}, 2);
  const auto p = parameters(layer);
  CHECK(p[0].shape() == Shape{o.kernel_size, 3, 2});
  for (const std::int64_t steps : {1, 4}) {
    CAPTURE(steps);
    const Tensor x = plain_steps(steps, 2);
    std::vector<Steps> expected;
    for (const auto& s : sequences(x)) {
      expected.push_back(transposed(s, p[0].value(), p[1].value(), o, 2));
    }
    compare(layer.forward(x), expected, x, false);
  }
  CHECK(layer.forward(plain_steps(0, 2)).shape() == Shape{2, 0, 3});
}

TEST_CASE("Conv1DTranspose: lengths and values as Keras has them, with output_padding too") {
  over_options([](const Conv1DOptions& o) {
    if (o.padding == "causal") return;
    Conv1DTransposeOptions options{.filters = 3,
                                   .kernel_size = o.kernel_size,
                                   .strides = o.strides,
                                   .padding = o.padding,
                                   .dilation_rate = o.dilation_rate};
    check_transposed(options);
    for (std::int64_t more = 0; more < o.strides; ++more) {
      CAPTURE(more);
      options.output_padding = more;
      check_transposed(options);
    }
  });
  const auto steps = [](const char* padding) {
    Conv1DTranspose layer{{.filters = 3, .kernel_size = 3, .strides = 2, .padding = padding}};
    return with_weights(layer, 2).forward(plain_steps(10, 2)).size(1);
  };
  CHECK(steps("valid") == 21);  // the example in Keras's documentation
  CHECK(steps("same") == 20);
}

TEST_CASE("a window that no sequence fills gives no steps, and a mask that says so") {
  const auto masked = with_weights(MaskedConv1D{{.filters = 2, .kernel_size = 5}}, 3);
  const Tensor y = masked.forward(masked_steps(3));
  CHECK(y.shape() == Shape{5, 2, 2});
  CHECK(y.mask().lengths() == std::vector<std::int64_t>{2, 0, 0, 0, 0});
  const auto longer = with_weights(MaskedConv1D{{.filters = 2, .kernel_size = 9}}, 3);
  CHECK(longer.forward(masked_steps(3)).shape() == Shape{5, 0, 2});
  const auto plain = with_weights(Conv1D{{.filters = 2, .kernel_size = 9}}, 3);
  CHECK(plain.forward(plain_steps(6, 3)).shape() == Shape{2, 0, 2});
}

TEST_CASE("without bias, and with an activation") {
  const auto check = [](auto linear, auto relu, std::size_t weights) {
    CHECK(parameters(linear).size() == weights);
    const Tensor x = plain_steps(6, 2);
    const auto a = sequences(linear.forward(x)), b = sequences(relu.forward(x));
    bool below = false;
    for (std::size_t s = 0; s < a.size(); ++s) {
      for (std::size_t t = 0; t < a[s].size(); ++t) {
        for (std::size_t f = 0; f < a[s][t].size(); ++f) {
          below = below || a[s][t][f] < 0;
          CHECK(b[s][t][f] == std::max(0., a[s][t][f]));
        }
      }
    }
    CHECK(below);
  };
  const auto conv = [](const char* f) {
    return with_weights(
        Conv1D{{.filters = 2, .kernel_size = 2, .activation = f, .use_bias = false}}, 2);
  };
  check(conv("linear"), conv("relu"), 1);
  const auto depthwise = [](const char* f) {
    return with_weights(DepthwiseConv1D{{.kernel_size = 2, .activation = f, .use_bias = false}}, 2);
  };
  check(depthwise("linear"), depthwise("relu"), 1);
  const auto separable = [](const char* f) {
    return with_weights(
        SeparableConv1D{{.filters = 2, .kernel_size = 2, .activation = f, .use_bias = false}}, 2);
  };
  check(separable("linear"), separable("relu"), 2);
  const auto transpose = [](const char* f) {
    return with_weights(
        Conv1DTranspose{{.filters = 2, .kernel_size = 2, .activation = f, .use_bias = false}}, 2);
  };
  check(transpose("linear"), transpose("relu"), 1);
}

}  // namespace
}  // namespace maskgrad::tests::test_convolution
