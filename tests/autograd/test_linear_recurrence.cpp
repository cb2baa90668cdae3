#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <maskgrad/autograd/derivatives.hpp>
#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/gradients.hpp>
#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/core/io/safetensors.hpp>

#include "io/files.hpp"

namespace maskgrad::tests::test_linear_recurrence {
namespace {

using Values = std::vector<double>;
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// data/linear_recurrence.safetensors: what NumPy gave; see make_linear_recurrence.py.
Tensor stored(const std::string& name) {
  static const Safetensors file =
      read_safetensors(files::beside("../autograd/data/linear_recurrence.safetensors"));
  const auto found = std::find_if(file.arrays.begin(), file.arrays.end(),
                                  [&](const NamedArray& a) { return a.name == name; });
  REQUIRE(found != file.arrays.end());
  return extend::dispatch(found->array.dtype, [&]<class T>() {
    return tensor(found->array.values<T>(), Shape(std::span(found->array.shape)));
  });
}

void check_near(const Tensor& found, const Tensor& expected, const std::string& what) {
  CAPTURE(what);
  REQUIRE(found.shape() == expected.shape());
  const auto a = found.to_vector<double>(0), b = expected.to_vector<double>();
  for (std::size_t i = 0; i < b.size(); ++i) {
    CHECK(std::abs(a[i] - b[i]) <= 1e-14 * std::max(1.0, std::abs(b[i])));
  }
}

Values gradient_of(const Tensor& x, const Tensor& y) {
  return gradients(y, {x}, {.retain = true})[0].to_vector<double>();
}

}  // namespace

TEST_SUITE("linear recurrence") {
  TEST_CASE("values and gradients under holes are what NumPy gives for each sequence alone") {
    const Mask steps = Mask::keep(stored("steps"));
    for (const std::string name : {"forward", "backwards"}) {
      const auto at = [&](const std::string& what) { return stored(name + "/" + what); };
      const Tensor a = at("a").with_mask(steps).with_grad(),
                   b = at("b").with_mask(steps).with_grad(), initial = at("initial").with_grad();
      const auto [h, last] = linear_recurrence_with_state(
          a, b, {.initial = initial, .backwards = name == "backwards"});
      check_near(h, at("h"), name + " h");
      check_near(last, at("last"), name + " last");
      const Tensor total = sum(h * at("up_h")) + sum(last * at("up_last"));
      const auto found = gradients(total, {a, b, initial});
      check_near(found[0], at("da"), name + " da");
      check_near(found[1], at("db"), name + " db");
      check_near(found[2], at("dinitial"), name + " dinitial");
    }
  }

  TEST_CASE("a factor of 0 forgets infinity and NaN, in both directions") {
    const Tensor a = tensor<double>({0.5, 0.5, 0, 0.5}, {1, 4}).with_grad();
    for (const double odd : {inf, -inf, nan}) {
      const Tensor b = tensor<double>({1, odd, 2, 3}, {1, 4}).with_grad();
      const Tensor h = linear_recurrence(a, b);
      const auto values = h.to_vector<double>();
      CHECK(values[2] == 2);
      CHECK(values[3] == 4);
      // The steps behind it have a gradient, the odd one has none.
      const Tensor late = sum(slice(h, 1, 2));
      CHECK(gradient_of(b, late) == Values{0, 0, 1.5, 1});
      CHECK(gradient_of(a, late) == Values{0, 0, 0, 2});
      const auto twice =
          gradients(sum(square(gradients(late, {b}, {.create_graph = true})[0])), {a});
      CHECK(twice[0].to_vector<double>() == Values{0, 0, 0, 3});
    }
  }

  TEST_CASE("an incoming gradient of 0 reads nothing") {
    const Tensor a = tensor<double>({0.5, inf, 2}, {1, 3}).with_grad();
    const Tensor b = tensor<double>({1, 1, nan}, {1, 3}).with_grad();
    const Tensor first = sum(slice(linear_recurrence(a, b), 1, 0, 1));
    CHECK(gradient_of(b, first) == Values{1, 0, 0});
    CHECK(gradient_of(a, first) == Values{0, 0, 0});
  }

  TEST_CASE("one tensor as both inputs gets both gradients") {
    const Tensor x = tensor<double>({2, 3}, {1, 2}).with_grad();
    CHECK(gradient_of(x, sum(linear_recurrence(x, x))) == Values{4, 3});  // x0 + x1 x0 + x1
  }

  TEST_CASE("pieces with the state between them are the whole, values and gradients") {
    const Tensor a = random_uniform({2, 9, 3}, Seed{1}, 0, 1, DType::f64).with_grad();
    const Tensor b = random_normal({2, 9, 3}, Seed{2}, DType::f64).with_grad();
    const Tensor up = random_normal({2, 9, 3}, Seed{3}, DType::f64);
    std::vector<Tensor> parts;
    Tensor state;
    for (const auto& [from, to] : {std::pair{0, 4}, {4, 4}, {4, 5}, {5, 9}}) {
      const auto [h, last] = linear_recurrence_with_state(
          slice(a, 1, from, to), slice(b, 1, from, to), {.initial = state});
      parts.push_back(h);
      state = last;
    }
    const Tensor whole = linear_recurrence(a, b), joined = concatenate(parts, 1);
    CHECK(joined.to_vector<double>() == whole.to_vector<double>());
    CHECK(gradient_of(a, sum(joined * up)) == gradient_of(a, sum(whole * up)));
    CHECK(gradient_of(b, sum(joined * up)) == gradient_of(b, sum(whole * up)));
  }

  TEST_CASE("the same bits on any number of threads, for many sequences and for a wide one") {
    const int before = num_threads();
    for (const Shape& shape : {Shape{70, 50, 33}, Shape{1, 300, 515}, Shape{3, 40, 1100}}) {
      const Tensor x = random_uniform(shape, Seed{1}, 0, 1), y = random_normal(shape, Seed{2});
      const auto mask = Mask::keep(greater(select(random_uniform(shape, Seed{3}), 2, 0), 0.3));
      std::vector<float> first;
      for (const int threads : {1, 2, 3, 4}) {
        set_num_threads(threads);
        const Tensor a = x.with_mask(mask).with_grad(), b = y.with_mask(mask).with_grad();
        const Tensor h = linear_recurrence(a, b);
        const auto g = gradients(sum(h * h), {a, b});
        std::vector<float> all;
        for (const Tensor& t : {h, g[0], g[1]}) {
          const auto values = t.to_vector<float>(0);
          all.insert(all.end(), values.begin(), values.end());
        }
        if (first.empty()) first = all;
        CHECK(all == first);
      }
    }
    set_num_threads(before);
  }

  TEST_CASE("a sequence has the same bits alone as in a batch") {
    const Tensor a = random_uniform({5, 20, 37}, Seed{1}, 0, 1),
                 b = random_normal({5, 20, 37}, Seed{2});
    const Tensor all = linear_recurrence(a, b);
    const Tensor one = linear_recurrence(slice(a, 0, 3, 4), slice(b, 0, 3, 4));
    CHECK(one.to_vector<float>() == slice(all, 0, 3, 4).to_vector<float>());
  }
}

}  // namespace maskgrad::tests::test_linear_recurrence
