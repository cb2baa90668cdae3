// Tensors and masks: what a mask is, what carries it on, what ends it, what refuses it.

#include <fmt/core.h>

#include <limits>

#include <maskgrad/maskgrad.hpp>

namespace mg = maskgrad;

void show(const char* what, const mg::Tensor& x) {
  fmt::print("{}\n{}\n\n", what, x.str());
}

int main() {
  // Three sequences of 3, 1 and 2 steps, two features a step. No padding is ever made.
  const mg::Tensor x =
      mg::from_sequences<float>({{1, 2, 3, 4, 5, 6}, {7, 8}, {9, 10, 11, 12}}, {2});
  show("from_sequences: -- is a position that is not there", x);

  // The same from an array that was padded somewhere else. What stands in the padding is dropped at
  // the door, be it zeros, garbage or NaN.
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const mg::Tensor padded = mg::tensor({1.f, 2.f, nan, 3.f, nan, nan}, {2, 3});
  const mg::Mask mask = mg::Mask::from_lengths({2, 1}, 3);
  show("with_mask: a mask [2, 3] on padded values", padded.with_mask(mask));

  // Arithmetic keeps the mask, broadcasting included; two masks combine by AND.
  show("x * 10 + [0.5, 0.25]", x * 10 + mg::tensor({0.5f, 0.25f}, {2}));

  // A reduction over features stays inside a step and keeps the mask; one over time ends it.
  show("sum over features", mg::sum(x, {-1}));
  show("mean over time: valid steps alone", mg::mean(x, {1}));

  // Of nothing there is no mean: the second sequence is empty, and so is its mean.
  const mg::Tensor gaps = mg::zeros({3, 2, 1}).with_mask(mg::Mask::from_lengths({2, 0, 1}));
  show("mean of an empty sequence", mg::mean(gaps, {1}));

  // A sequence is its valid steps in order, so `reverse` leaves the padding where it is.
  show("reverse", mg::reverse(x));
  show("last_valid", mg::last_valid(x));

  // What would mix steps with padding refuses, and says why and how to go on.
  mg::Conv1D conv{{.filters = 4, .kernel_size = 3}};
  try {
    mg::build(conv, mg::Spec::f32({mg::any, mg::any, 2}).masked(2));
  } catch (const mg::MaskError& e) {
    fmt::print("Conv1D under a mask, before there is any data:\n{}\n\n", e.what());
  }

  // Gradients: padding gets exactly zero.
  const mg::Tensor leaf = padded.with_grad();
  mg::sum(mg::square(leaf.with_mask(mask))).backward();
  show("gradient of the sum of squares", leaf.grad());
}
