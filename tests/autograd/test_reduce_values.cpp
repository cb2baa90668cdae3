#include <cmath>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/cumulative.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/softmax.hpp>
#include <maskgrad/autograd/ops/sort.hpp>
#include <maskgrad/autograd/ops/standardise.hpp>
#include <maskgrad/core/threads.hpp>

#include "counted.hpp"

namespace maskgrad::tests {
namespace {

using Ids = std::vector<std::int64_t>;

struct Row {
  const char* name;
  Tensor (*f)(const Tensor&, const Axes&);
  Axes axes;
  Values y;
};

const Values x234{3,   -1, 2, 0.5, -2, 4,    1, -0.5, 0.25, 2, -3,    1,
                  1.5, -4, 0, 2.5, -1, 0.75, 5, -2,   1,    3, -0.25, 0.125};  // [2, 3, 4]

template <Tensor (*f)(const Tensor&, const Axes&, bool)>
Tensor plain(const Tensor& x, const Axes& axes) {
  return f(x, axes, false);
}
template <Tensor (*f)(const Tensor&, const Axes&, bool, int)>
Tensor spread(const Tensor& x, const Axes& axes) {
  return f(x, axes, false, 0);
}

/// Recorded from NumPy 1.24.
const Row reductions[] = {
    {"sum", plain<sum>, {}, {13.875}},
    {"sum", plain<sum>, 1, {1.25, 5, 0, 1, 1.5, -0.25, 4.75, 0.625}},
    {"sum", plain<sum>, 2, {4.5, 2.5, 0.25, 0, 2.75, 3.875}},
    {"sum", plain<sum>, {0, 2}, {4.5, 5.25, 4.125}},
    {"product", plain<product>, {}, {0}},
    {"product", plain<product>, 1, {-1.5, -8, -6, -0.25, -1.5, -9, -0, -0.625}},
    {"product", plain<product>, 2, {-3, 4, -1.5, -0, 7.5, -0.09375}},
    {"product", plain<product>, {0, 2}, {0, 30, 0.140625}},
    {"mean", plain<mean>, {}, {0.578125}},
    {"mean",
     plain<mean>,
     1,
     {0.4166666666666667, 1.6666666666666667, 0, 0.3333333333333333, 0.5, -0.08333333333333333,
      1.5833333333333333, 0.20833333333333334}},
    {"mean", plain<mean>, 2, {1.125, 0.625, 0.0625, 0, 0.6875, 0.96875}},
    {"mean", plain<mean>, {0, 2}, {0.5625, 0.65625, 0.515625}},
    {"variance", spread<variance>, {}, {4.445068359375}},
    {"variance",
     spread<variance>,
     1,
     {4.180555555555556, 4.222222222222222, 4.666666666666667, 0.38888888888888884,
      1.1666666666666667, 8.513888888888888, 5.847222222222222, 3.378472222222222}},
    {"variance",
     spread<variance>,
     2,
     {2.296875, 4.921875, 3.51171875, 6.125, 7.16796875, 1.5810546875}},
    {"variance", spread<variance>, {0, 2}, {4.52734375, 6.0458984375, 2.751708984375}},
    {"std_deviation", spread<std_deviation>, {}, {2.1083330760045955}},
    {"std_deviation",
     spread<std_deviation>,
     1,
     {2.0446406910642163, 2.0548046676563256, 2.160246899469287, 0.6236095644623235,
      1.0801234497346435, 2.9178569000019325, 2.4181030214244847, 1.8380620833427312}},
    {"std_deviation",
     spread<std_deviation>,
     2,
     {1.5155444566227676, 2.218529918662356, 1.8739580438206187, 2.4748737341529163,
      2.677306248825487, 1.2573999711706694}},
    {"std_deviation",
     spread<std_deviation>,
     {0, 2},
     {2.1277555663186503, 2.458840872748784, 1.6588275933245746}},
    {"logsumexp", plain<logsumexp>, {}, {5.678198930349365}},
    {"logsumexp",
     plain<logsumexp>,
     1,
     {3.0682807056157664, 4.132845233727576, 2.318175429247454, 1.6041306053367281,
      2.0239090561799076, 3.101031153353375, 5.011914208507458, 2.5990517946332483}},
    {"logsumexp",
     plain<logsumexp>,
     2,
     {3.38409170128869, 4.061447640298166, 2.4372165414242164, 2.872575374708453, 5.017500831225631,
      3.207441420028316}},
    {"logsumexp",
     plain<logsumexp>,
     {0, 2},
     {3.853836372882549, 5.34277277612511, 3.5878683106598697}},
    {"max", plain<max>, {}, {5}},
    {"max", plain<max>, 1, {3, 4, 2, 1, 1.5, 3, 5, 2.5}},
    {"max", plain<max>, 2, {3, 4, 2, 2.5, 5, 3}},
    {"max", plain<max>, {0, 2}, {3, 5, 3}},
    {"min", plain<min>, {}, {-4}},
    {"min", plain<min>, 1, {-2, -1, -3, -0.5, -1, -4, -0.25, -2}},
    {"min", plain<min>, 2, {-1, -2, -3, -4, -2, -0.25}},
    {"min", plain<min>, {0, 2}, {-4, -2, -3}},
};

void near(const Tensor& y, const Values& expected) {
  const auto values = y.to_vector<double>(none);
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-13));
  }
}

/// The first sequence of x234, [3, 4].
Tensor x34() {
  return tensor(Values(x234.begin(), x234.begin() + 12), {3, 4});
}

}  // namespace

TEST_SUITE("reduce") {
  TEST_CASE("values as NumPy's over all, one and two axes") {
    const Tensor x = tensor(x234, {2, 3, 4});
    for (const auto& row : reductions) {
      CAPTURE(row.name);
      near(row.f(x, row.axes), row.y);
    }
    near(variance(x, 1, false, 1),
         {6.270833333333334, 6.333333333333333, 7, 0.5833333333333333, 1.75, 12.770833333333332,
          8.770833333333334, 5.067708333333333});
  }

  TEST_CASE("an index, as NumPy's; the first of equal ones") {
    const Tensor x = tensor(x234, {2, 3, 4});
    CHECK(argmax(x, {}).to_vector<std::int64_t>() == Ids{18});
    CHECK(argmax(x, 0).to_vector<std::int64_t>() == Ids{0, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0});
    CHECK(argmax(x, 1).to_vector<std::int64_t>() == Ids{0, 1, 0, 2, 0, 2, 1, 0});
    CHECK(argmax(x, 2).to_vector<std::int64_t>() == Ids{0, 1, 1, 3, 2, 1});
    CHECK(argmin(x, {}).to_vector<std::int64_t>() == Ids{13});
    CHECK(argmin(x, 0).to_vector<std::int64_t>() == Ids{1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1});
    CHECK(argmin(x, 1).to_vector<std::int64_t>() == Ids{1, 0, 2, 1, 1, 0, 2, 1});
    CHECK(argmin(x, 2).to_vector<std::int64_t>() == Ids{1, 0, 2, 1, 3, 2});
    CHECK(argmax(tensor<double>({1, 3, 3}, {3})).item() == 1);
    CHECK(argmax(tensor<double>({1, std::nan(""), 3, std::nan("")}, {4})).item() == 1);
    CHECK(argmin(tensor<double>({1, std::nan(""), 0}, {3})).item() == 1);
  }

  TEST_CASE("over the valid steps of sequences, and none of them") {
    const Tensor x = from_sequences<double>({{1, 2, 3}, {}, {5, 4}});
    check(sum(x, 1), {3}, {6, 0, 9});
    CHECK(!sum(x, 1).has_mask());
    check(product(x, 1), {3}, {6, 1, 20});
    check(mean(x, 1), {3}, {2, none, 4.5});
    CHECK(mean(x, 1).mask().to_vector() == Bits{true, false, true});
    check(max(x, 1), {3}, {3, none, 5});
    check(mean(x, 0), {3}, {3, 3, 3});
    CHECK(!mean(x, 0).has_mask());
    CHECK(argmax(x, 1).to_vector<std::int64_t>(-1) == Ids{2, -1, 0});
    check(variance(x, 1, true, 2), {3, 1}, {2, none, none});
    CHECK(count_valid(x, 1).to_vector<std::int64_t>() == Ids{3, 0, 2});
    CHECK(count_valid(x).item() == 5);
    check(sum(x, 1, true), {3, 1}, {6, 0, 9});
    CHECK(mean(x, 1, true).mask().shape() == Shape{3, 1});
  }

  TEST_CASE("of nothing at all") {
    const Tensor x = zeros({0, 3}, DType::f64);
    check(sum(x, 0), {3}, {0, 0, 0});
    check(product(x, 0), {3}, {1, 1, 1});
    CHECK(sum(x, 1).shape() == Shape{0});
    CHECK(!mean(x, 1).has_mask());
    const Tensor m = mean(x);
    CHECK(m.mask().rank() == 0);
    CHECK(m.mask().valid() == 0);
    CHECK(max(x, 0).mask().valid() == 0);
    const Tensor truth = zeros({0, 3}, DType::boolean);
    CHECK(any_true(truth, 0).to_vector<bool>() == Bits{false, false, false});
    CHECK(all_true(truth, 0).to_vector<bool>() == Bits{true, true, true});
  }

  TEST_CASE("truth and whole numbers") {
    const Tensor t = tensor<bool>({true, false, true, true}, {2, 2});
    CHECK(any_true(t, 1).to_vector<bool>() == Bits{true, true});
    CHECK(all_true(t, 1).to_vector<bool>() == Bits{false, true});
    const Tensor i = tensor<std::int64_t>({3, 1, 2, 5}, {2, 2});
    CHECK(sum(i).to_vector<std::int64_t>() == Ids{11});
    CHECK(product(i, 0).to_vector<std::int64_t>() == Ids{6, 5});
    CHECK(max(i, 1).to_vector<std::int64_t>() == Ids{3, 5});
  }

  TEST_CASE("a maximum's gradient is shared among equals; a product's is right beside zeros") {
    const Tensor x = tensor<double>({1, 3, 3}, {3}).with_grad();
    CHECK(pulled(x, max(x)) == Values{0, 0.5, 0.5});
    const Tensor z = tensor<double>({2, 0, 5, 0, 0, 3, 4, 2, 1}, {3, 3}).with_grad();
    CHECK(pulled(z, product(z, 1)) == Values{0, 10, 0, 0, 0, 0, 6, 12, 24});
    const Tensor one = tensor<double>({7}, {1}).with_grad();
    CHECK(pulled(one, std_deviation(one)) == Values{0});
  }

  TEST_CASE("long f32 sums are accurate, and the same for any number of threads") {
    const Tensor x = full({10, 300001}, 0.1, DType::f32);
    const int threads = num_threads();
    set_num_threads(1);
    const auto alone = sum(x).item(), columns = sum(x, 0).item({300000});
    set_num_threads(4);
    CHECK(sum(x).item() == alone);
    CHECK(sum(x, 0).item({300000}) == columns);
    set_num_threads(threads);
    CHECK(alone == doctest::Approx(3000010 * static_cast<double>(0.1F)).epsilon(1e-7));
  }

  TEST_CASE("extremes of exponents") {
    const Tensor x = tensor<double>({1000, 1001, 1002}, {3});
    near(softmax(x), {0.09003057317038043, 0.24472847105479767, 0.6652409557748218});
    near(log_softmax(x), {-2.4076059644443806, -1.4076059644443804, -0.40760596444438035});
    near(logsumexp(x), {1002.4076059644444});
    const Tensor none_left = full({2}, -INFINITY, DType::f64);
    CHECK(logsumexp(none_left).item() == -INFINITY);
  }
}

TEST_SUITE("along an axis") {
  TEST_CASE("softmax, along either axis") {
    near(softmax(x34()),
         {0.6810689694136799, 0.012474213302103307, 0.25055127186711473, 0.05590554541710209,
          0.0023310239596104833, 0.9404021836283155, 0.046819867809591485, 0.010446924602482463,
          0.11222869819900466, 0.6458315669806317, 0.004351578868651812, 0.2375881559517117});
    near(softmax(x34(), 0),
         {0.9339982582200754, 0.005899750401902782, 0.7274751568004647, 0.33149896042409155,
          0.00629323076112501, 0.8756005950630876, 0.2676231541498623, 0.12195165230972888,
          0.05970851101879959, 0.11849965453500959, 0.00490168904967292, 0.5465493872661797});
    near(log_softmax(x34()),
         {-0.38409170128868997, -4.38409170128869, -1.38409170128869, -2.88409170128869,
          -6.061447640298166, -0.06144764029816585, -3.061447640298166, -4.561447640298166,
          -2.1872165414242164, -0.4372165414242164, -5.437216541424217, -1.4372165414242164});
    CHECK(softmax(zeros({0, 4}, DType::f64)).shape() == Shape{0, 4});
  }

  TEST_CASE("over the valid steps of a sequence, holes left out") {
    const Tensor x = tensor<double>({0, 99, 0, 99, 1, 2}, {2, 3}).with_mask(holes());
    const double e = std::exp(1.0);
    near(softmax(x), {0.5, none, 0.5, none, 1 / (1 + e), e / (1 + e)});
    CHECK(softmax(x).mask() == x.mask());
    check(cumsum(counted({2, 3}).with_mask(holes()), 1), {2, 3}, {0, none, 2, none, 4, 9});
  }

  TEST_CASE("cumulative, as NumPy's") {
    near(cumsum(x34(), 0), {3, -1, 2, 0.5, 1, 3, 3, 0, 1.25, 5, 0, 1});
    near(cumsum(x34(), -1), {3, 2, 4, 4.5, -2, 2, 3, 2.5, 0.25, 2.25, -0.75, 0.25});
    near(cumprod(x34(), 0), {3, -1, 2, 0.5, -6, -4, 2, -0.25, -1.5, -8, -6, -0.25});
    near(cumprod(x34(), 1), {3, -3, -6, -3, -2, -8, -8, 4, 0.25, 0.5, -1.5, -1.5});
    CHECK(cumsum(zeros({3, 0}, DType::f64), 1).shape() == Shape{3, 0});
    const Tensor i = tensor<std::int64_t>({3, 1, 2}, {3});
    CHECK(cumsum(i, 0).to_vector<std::int64_t>() == Ids{3, 4, 6});
  }

  TEST_CASE("sort, as NumPy's; NaN is greatest") {
    near(sort(x34()), {-1, 0.5, 2, 3, -2, -0.5, 1, 4, -3, 0.25, 1, 2});
    CHECK(argsort(x34()).to_vector<std::int64_t>() == Ids{1, 3, 2, 0, 0, 3, 2, 1, 2, 0, 3, 1});
    const auto [values, indices] = top_k(x34(), 2);
    check(values, {3, 2}, {3, 2, 4, 1, 2, 1});
    CHECK(indices.to_vector<std::int64_t>() == Ids{0, 2, 1, 2, 1, 3});
    const Tensor x = tensor<double>({1, std::nan(""), -1, 1}, {4});
    CHECK(argsort(x).to_vector<std::int64_t>() == Ids{2, 0, 3, 1});
    CHECK(argsort(x, true).to_vector<std::int64_t>() == Ids{1, 0, 3, 2});
    CHECK(sort(zeros({2, 0}, DType::f64)).shape() == Shape{2, 0});
    CHECK(top_k(x34(), 0).values.shape() == Shape{3, 0});
  }

  TEST_CASE("standardise, by broadcast statistics") {
    near(standardise(x34()),
         {1.2634656610945776, -1.2977713536777555, 0.9258200898530504, 0.2672612075502714,
          -1.1819517474755725, 1.135549934468036, 0.4629100449265252, -1.3363060377513567,
          -0.08151391361900501, 0.1622214192097194, -1.3887301347795757, 1.0690448302010855});
    const Tensor x = from_sequences<double>({{1, 3}, {}, {5}});
    check(sum(standardise(x, {0, 1})), {}, {0});
    near(standardise(x, 1),
         {-1 / std::sqrt(1 + 1e-7), 1 / std::sqrt(1 + 1e-7), none, none, 0, none});
    CHECK(standardise(x, 1).mask() == x.mask());
    CHECK(standardise(zeros({0, 3}, DType::f64)).shape() == Shape{0, 3});
  }
}

}  // namespace maskgrad::tests
