#include <cmath>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce/cumulative.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/autograd/ops/reduce/standardize.hpp>
#include <maskgrad/core/threads.hpp>

#include "counted.hpp"

namespace maskgrad::tests::test_reduce_values {
namespace {

using Ids = std::vector<std::int64_t>;

void near(const Tensor& y, const Values& expected) {
  const auto values = y.to_vector<double>(none);
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-13));
  }
}

}  // namespace

TEST_SUITE("reduce") {
  TEST_CASE("an index: the first of equal ones, or of NaN") {
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

  TEST_CASE("the log of a sum of zeros") {
    const Tensor none_left = full({2}, -INFINITY, DType::f64);
    CHECK(logsumexp(none_left).item() == -INFINITY);
  }
}

TEST_SUITE("along an axis") {
  TEST_CASE("over the valid steps of a sequence, holes left out") {
    const Tensor x = tensor<double>({0, 99, 0, 99, 1, 2}, {2, 3}).with_mask(holes());
    const double e = std::exp(1.0);
    near(softmax(x), {0.5, none, 0.5, none, 1 / (1 + e), e / (1 + e)});
    CHECK(softmax(x).mask() == x.mask());
    check(cumsum(counted({2, 3}).with_mask(holes()), 1), {2, 3}, {0, none, 2, none, 4, 9});
  }

  TEST_CASE("standardize: what does not vary gives 0") {
    const Tensor x = from_sequences<double>({{1, 3}, {}, {5}});
    check(sum(standardize(x, {0, 1})), {}, {0});
    near(standardize(x, 1),
         {-1 / std::sqrt(1 + 1e-7), 1 / std::sqrt(1 + 1e-7), none, none, 0, none});
    CHECK(standardize(x, 1).mask() == x.mask());
  }
}

}  // namespace maskgrad::tests::test_reduce_values
