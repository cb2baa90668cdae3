#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/derivatives.hpp>
#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/autograd/ops/loss/cross_entropy.hpp>
#include <maskgrad/core/io/safetensors.hpp>

#include "case_checks.hpp"
#include "io/files.hpp"

namespace maskgrad::tests::test_second_derivatives {

// data/second_derivatives.safetensors: what PyTorch gave; see make_second_derivatives.py.

Tensor stored(const std::string& name) {
  static const Safetensors file =
      read_safetensors(files::beside("../autograd/data/second_derivatives.safetensors"));
  const auto found = std::find_if(file.arrays.begin(), file.arrays.end(),
                                  [&](const NamedArray& a) { return a.name == name; });
  REQUIRE(found != file.arrays.end());
  return tensor(found->array.values<double>(), Shape(std::span(found->array.shape)));
}

/// A stored array, under the mask of the steps where it has them.
Tensor argument(const std::string& name) {
  const Tensor x = stored(name);
  static const Mask steps = Mask::from_lengths(std::vector<std::int64_t>{5, 2, 0, 3}, 5);
  return x.rank() >= 3 ? x.with_mask(steps) : x;
}

void check_near(const Tensor& found, const Tensor& expected, const std::string& what) {
  CAPTURE(what);
  REQUIRE(found.shape() == expected.shape());
  const auto a = rows::of<double>(found.has_mask() ? found.drop_mask("behind the ends") : found);
  const auto b = rows::of<double>(expected);
  double worst = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    worst = std::max(worst, std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i])));
  }
  CHECK(worst <= 1e-9);
}

using Many = std::vector<Tensor>;

void check_products(const std::string& name, const std::vector<std::string>& arguments,
                    const Callable& f) {
  Many x, v;
  for (const auto& a : arguments) {
    x.push_back(argument(name + "/" + a));
    v.push_back(argument(name + "/" + a + "/v"));
  }
  const auto hv = hvp(f, x, v);
  for (std::size_t i = 0; i < x.size(); ++i) {
    check_near(hv[i], stored(name + "/" + arguments[i] + "/hv"), name + " " + arguments[i]);
  }
}

Tensor cubes(const Tensor& y) {
  return sum(y * y * y);
}

/// Products of f's Hessian by the kernels of second derivatives, against what the operations give
/// of which backward is told: what is on the tape itself is made of those.
void check_told(const std::string& name, const Many& x, const Callable& f) {
  Many v, in;
  for (const auto& t : x) {
    v.push_back(checking::like(t, [](std::int64_t i) { return std::sin(double(i * i)); }));
    in.push_back(t.with_grad());
  }
  const auto product = [&](bool on_tape) {
    const auto g = gradients(f(in), in, {.create_graph = true});
    return gradients(g, in, {.create_graph = on_tape, .seeds = v});
  };
  const auto kernels = product(false), told = product(true);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Tensor dense = told[i].has_mask() ? told[i].drop_mask("behind the ends") : told[i];
    check_near(kernels[i], dense.value(), name + ", argument " + std::to_string(i));
  }
}

Tensor numbers(const Shape& shape, std::uint64_t seed) {
  return random_normal(shape, {seed}, DType::f64);
}

TEST_SUITE("second_derivatives") {
  TEST_CASE("every operation's second derivatives equal differences, with and without masks") {
    for (const auto& c : op_cases()) check_gradients(c, 2);
  }

  TEST_CASE("second derivatives under masks are what PyTorch gives for each sequence alone") {
    const auto recurrence = [](kernels::Cell cell) {
      return [cell](const Many& in) {
        return cubes(recurrent(cell, true, false, in[0], {in[1], in[2], in[3]}, {}).output);
      };
    };
    check_products("gru", {"x", "kernel", "recurrent", "bias"}, recurrence(kernels::Cell::gru));
    check_products("lstm", {"x", "kernel", "recurrent", "bias"}, recurrence(kernels::Cell::lstm));
    check_products("attention", {"q", "k", "v"}, [](const Many& in) {
      return cubes(attention(in[0], in[1], in[2], {.causal = true}));
    });
    check_products("layer_norm", {"x", "gamma", "beta"}, [](const Many& in) {
      return cubes(layer_normalize(in[0], 1e-3, {in[1], in[2]}, true));
    });
    check_products("batch_norm", {"x", "gamma", "beta"}, [](const Many& in) {
      return cubes(batch_normalize(in[0], 1e-3, {in[1], in[2]}).y);
    });
    check_products("cross_entropy", {"logits"}, [](const Many& in) {
      const auto& mask = in[0].mask();
      const Tensor ids = rows::make(mask.shape(), DType::i64, mask);
      auto to = rows::of_mutable<std::int64_t>(ids);
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<std::int64_t>(i % 4);
      return mean(detail::sparse_cross_entropy(ids, in[0]));
    });
  }

  TEST_CASE("a penalty on a gradient and a step of MAML are what PyTorch gives") {
    const Tensor x = argument("penalty/x").with_grad(), w = argument("penalty/w").with_grad();
    const Tensor g = gradients(sum(tanh(matmul(x, w))), {x}, {.create_graph = true})[0];
    check_near(gradients(mean(square(norm(g, {-1}) - 1)), {w})[0], stored("penalty/w/g"),
               "penalty");

    const Tensor in = argument("maml/x"), y = argument("maml/y");
    const Tensor start = argument("maml/w").with_grad();
    const auto loss = [&](const Tensor& at) { return mean(square(tanh(matmul(in, at)) - y)); };
    const Tensor moved = start - 0.1 * gradients(loss(start), {start}, {.create_graph = true})[0];
    check_near(gradients(loss(moved), {start})[0], stored("maml/w/g"), "MAML");
  }

  TEST_CASE("Hessian-vector products are symmetric to rounding") {
    const Tensor x = argument("gru/x"), v = argument("gru/x/v");
    const Tensor u = checking::like(x, [](std::int64_t i) { return std::sin(double(i)); });
    const Many w{stored("gru/kernel"), stored("gru/recurrent"), stored("gru/bias")};
    const auto f = [&](const Tensor& t) {
      return cubes(recurrent(kernels::Cell::gru, true, false, t, {w[0], w[1], w[2]}, {}).output);
    };
    const double a = sum(u * hvp(f, x, v)).item(), b = sum(v * hvp(f, x, u)).item();
    CHECK(std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b)));
  }

  TEST_CASE("kernels of second derivatives give what the told operations do") {
    const Mask steps = Mask::from_lengths(std::vector<std::int64_t>{300, 0, 70}, 300);
    const Tensor q = numbers({3, 300, 4, 3}, 1).with_mask(steps);
    const Tensor k = numbers({3, 300, 2, 3}, 2).with_mask(steps);
    const Tensor v = numbers({3, 300, 2, 5}, 3).with_mask(steps);
    check_told("attention", {q, k, v}, [](const Many& in) {
      return cubes(attention(in[0], in[1], in[2], {.causal = true, .dropout = 0.3, .seed = {4}}));
    });
    check_told("attention in a window, with a bias", {q, k, v, numbers({4, 300, 300}, 5)},
               [](const Many& in) {
                 return cubes(attention(in[0], in[1], in[2], {.window = 20, .bias = in[3]}));
               });
    const Tensor x = numbers({3, 300, 6}, 6).with_mask(steps);
    const Tensor gamma = numbers({6}, 7), beta = numbers({6}, 8);
    check_told("layer_normalize", {x, gamma, beta}, [](const Many& in) {
      return cubes(layer_normalize(in[0], 1e-3, {in[1], in[2]}));
    });
    check_told("layer_normalize without a center", {x, gamma}, [](const Many& in) {
      return cubes(layer_normalize(in[0], 1e-3, {in[1], {}}, false));
    });
    check_told("group_normalize", {x, gamma, beta}, [](const Many& in) {
      return cubes(group_normalize(in[0], 3, 1e-3, {in[1], in[2]}));
    });
    check_told("matmul", {x, numbers({6, 4}, 9), numbers({4}, 10)},
               [](const Many& in) { return cubes(matmul(in[0], in[1], in[2])); });
  }
}

}  // namespace maskgrad::tests::test_second_derivatives
