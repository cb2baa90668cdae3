#include <maskgrad/autograd/gradients.hpp>

#include <fmt/format.h>

#include <maskgrad/autograd/extend.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view gradients_op = "gradients";

/// A 1 for a scalar.
Tensor one_for(const Tensor& y, std::size_t i, std::size_t count) {
  if (y.shape().count() == 1) return ones_like(y);
  fail<ShapeError>(
      gradients_op,
      "{} is {}; expected a scalar, or {{.seeds = ...}} with its gradient. Use mean(y) "
      "or sum(y), or a loss",
      count == 1 ? "y" : fmt::format("y[{}]", i), y.describe());
}

std::vector<Tensor> seeds_for(const std::vector<Tensor>& y, const std::vector<Tensor>& given) {
  if (!given.empty() && given.size() != y.size()) {
    fail<ShapeError>(gradients_op, "{} seeds for {} tensors y; expected one for each", given.size(),
                     y.size());
  }
  std::vector<Tensor> seeds;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (given.empty()) {
      seeds.push_back(one_for(y[i], i, y.size()));
      continue;
    }
    const Tensor& s = given[i];
    if (!s.defined() || s.is_meta() || s.shape() != y[i].shape() || s.dtype() != y[i].dtype() ||
        s.mask() != y[i].mask()) {
      fail<ShapeError>(gradients_op,
                       "the seed {} is {} for y {}; expected the same shape, type and mask", i,
                       s.defined() ? s.describe() : "undefined", y[i].describe());
    }
    seeds.push_back(s);
  }
  return seeds;
}

void check_inputs(const std::vector<Tensor>& x) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i].defined() && x[i].on_tape()) continue;
    fail<GradError>(
        gradients_op,
        "x[{}] is {} and not on the tape; expected what with_grad() gave, a parameter "
        "that is trained (mg::trainable(parameters) are those), or what was made of such",
        i, x[i].defined() ? x[i].describe() : "undefined");
  }
}

}  // namespace

std::vector<Tensor> gradients(const std::vector<Tensor>& y, const std::vector<Tensor>& x,
                              const GradientsOptions& options) {
  if (y.empty()) fail<ShapeError>(gradients_op, "got no y; expected one or more");
  for (const auto& root : y) tape::check_on_tape(root);
  const auto seeds = seeds_for(y, options.seeds);
  check_inputs(x);
  auto found = tape::gradients(y, seeds, x,
                               {.retain = options.retain, .create_graph = options.create_graph});
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i].defined() && !options.allow_unused) {
      fail<GradError>(gradients_op,
                      "y does not depend on x[{}], {}; leave it out, or ask for an undefined "
                      "gradient with {{.allow_unused = true}}",
                      i, x[i].describe());
    }
    if (!options.create_graph) found[i] = tape::as_read(found[i]);
  }
  return found;
}

std::vector<Tensor> gradients(const Tensor& y, const std::vector<Tensor>& x,
                              const GradientsOptions& options) {
  return gradients(std::vector<Tensor>{y}, x, options);
}

}  // namespace maskgrad
