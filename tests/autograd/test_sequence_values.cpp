#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/attention/attention.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/sequence/sequence.hpp>
#include <maskgrad/autograd/ops/sequence/windows.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/core/threads.hpp>

#include "counted.hpp"

namespace maskgrad::tests::test_sequence_values {

TEST_SUITE("gather") {
  const Tensor ids = tensor<std::int64_t>({2, 0, 7, 2, -1, 1}, {2, 3});

  TEST_CASE("take reads valid ids alone") {
    const Tensor table = counted({3, 2}).with_grad();
    const Tensor y =
        take(table, ids.with_mask(Mask::keep({{true, true, false}, {true, false, true}})));
    check(y, {2, 3, 2}, {4, 5, 0, 1, none, none, 4, 5, none, none, 2, 3});
    CHECK(pulled(table, y) == Values{3, 4, 7, 8, 6, 8});
    CHECK(take(table, tensor<std::int64_t>({1}, {})).to_vector<double>() == Values{2, 3});
    CHECK(take(table, tensor<std::int64_t>({}, {0, 4})).shape() == Shape{0, 4, 2});
  }

  TEST_CASE("a large gather adds the same in any number of threads") {
    std::vector<std::int64_t> many;
    for (std::int64_t i = 0; i < 40000; ++i) many.push_back(i * i % 97);
    const Tensor table = counted({97, 8}).with_grad();
    const Tensor y = take(table, tensor(many, {200, 200}));
    const int before = num_threads();
    set_num_threads(1);
    const auto one = pulled(table, y);
    set_num_threads(4);
    CHECK(pulled(table, y) == one);
    set_num_threads(before);
    double expected = 0;
    for (std::size_t i = 0; i < many.size(); ++i) {
      if (many[i] == 1) expected += static_cast<double>(8 * i + 1);
    }
    CHECK(one[8] == expected);
  }

  TEST_CASE("masks of both meet") {
    const Tensor x = counted({2, 3, 2}).with_mask(holes());
    const Tensor index = tensor<std::int64_t>({1, 9, 0, 9, 1, 0}, {2, 3, 1})
                             .with_mask(Mask::keep({{true, false, true}, {false, true, false}}));
    check(take_along_axis(x, index, 2), {2, 3, 1}, {1, none, 4, none, 9, none});
    const Tensor y = scatter_add(x, index, 100 * ones({2, 3, 1}, DType::f64), 2);
    check(y, {2, 3, 2}, {0, 101, none, none, 104, 5, none, none, 8, 109, none, none});
  }

  TEST_CASE("add_at adds valid rows") {
    const Tensor table = zeros({3, 1}, DType::f64).with_grad();
    const Tensor values = counted({2, 3, 1}).with_grad();
    const Mask valid = Mask::keep({{true, true, false}, {true, false, true}});
    const Tensor y = add_at(table, ids.with_mask(valid), values);
    check(y, {3, 1}, {1, 5, 3});
    CHECK(!y.has_mask());
    CHECK(pulled(values, y) == Values{3, 1, 0, 3, 0, 2});
    check(add_at(counted({3, 1}), tensor<std::int64_t>({}, {0}), zeros({0, 1}, DType::f64)), {3, 1},
          {0, 1, 2});
  }
}

TEST_SUITE("sequence") {
  TEST_CASE("reverse and shift count valid steps alone") {
    const Tensor x = counted({2, 3, 1}).with_mask(holes());
    check(reverse(x), {2, 3, 1}, {2, none, 0, none, 5, 4});
    check(shift(x, 1, 0.5), {2, 3, 1}, {0.5, none, 0, none, 0.5, 4});
    check(shift(x, std::numeric_limits<std::int64_t>::min(), 7), {2, 3, 1},
          {7, none, 7, none, 7, 7});
    check(shift(x, -1), {2, 3, 1}, {2, none, 0, none, 5, 0});
    check(reverse(counted({2, 3})), {2, 3}, {2, 1, 0, 5, 4, 3});
    check(reverse(counted({2, 3}), 0), {2, 3}, {3, 4, 5, 0, 1, 2});
    check(shift(counted({2, 3}), 2), {2, 3}, {0, 0, 0, 0, 0, 3});
    check(shift(counted({2, 3}), -7, 1), {2, 3}, {1, 1, 1, 1, 1, 1});
    CHECK(reverse(counted({2, 0})).shape() == Shape{2, 0});
  }

  TEST_CASE("under a mask [batch] the steps are axis 1") {
    const Tensor x = counted({2, 3}).with_mask(Mask::keep(Bits{false, true}, {2}));
    check(reverse(x), {2, 3}, {none, none, none, 5, 4, 3});
    check(last_valid(x), {2}, {none, 5});
    check(last_valid(x, 0), {3}, {3, 4, 5});
  }

  TEST_CASE("last, first and k-th valid steps") {
    const Tensor x = counted({2, 3, 1}).with_mask(holes());
    const Tensor last = last_valid(x);
    check(last, {2, 1}, {2, 5});
    CHECK(!last.has_mask());
    check(first_valid(x), {2, 1}, {0, 4});
    check(take_step(x, -2), {2, 1}, {0, 4});
    const Tensor y = counted({3, 2, 1}).with_mask(Mask::from_lengths({0, 1, 2}));
    check(last_valid(y), {3, 1}, {none, 2, 5});
    check(take_step(y, 1), {3, 1}, {none, none, 5});
    CHECK(last_valid(y).mask().to_vector() == Bits{false, true, true});
    CHECK(last_valid(counted({0, 2, 1}).with_mask(Mask::from_lengths({}, 2))).shape() ==
          Shape{0, 1});
    const Tensor line = counted({3}).with_mask(Mask::drop(Bits(3, true), {3}));
    CHECK(last_valid(line, 0).mask().rank() == 0);
  }

  TEST_CASE("without data the mask is possible") {
    const Tensor x = rows::make_meta({any, any, 4}, DType::f32, masks::meta({any, any}, "a test"));
    const Tensor y = last_valid(x);
    CHECK(y.shape() == Shape{any, 4});
    CHECK(masks::is_possible(y.mask()));
    CHECK(reverse(x).describe() == x.describe());
  }

  TEST_CASE("what is possible stays so in windows and scores") {
    const auto result_of = [](bool possible) {
      const Mask mask = masks::meta({any, any}, "a test", possible);
      return rows::make_meta({any, any, 4}, DType::f32, mask);
    };
    const Tensor x = result_of(true), certain = result_of(false);
    CHECK(masks::is_possible(windows(x, {.width = 2}).mask()));
    CHECK_FALSE(masks::is_possible(windows(certain, {.width = 2}).mask()));
    const auto heads = [](const Tensor& t) { return expand_dims(t, 2); };
    const auto scores = [&](const Tensor& q, const Tensor& k, bool causal) {
      return attention_scores(heads(q), heads(k), {.causal = causal}).mask();
    };
    CHECK(masks::is_possible(scores(x, x, false)));
    CHECK_FALSE(masks::is_possible(scores(x, x, true)));
    CHECK_FALSE(masks::is_possible(scores(x, certain, false)));
  }
}

TEST_SUITE("where") {
  TEST_CASE("selects, with broadcasting") {
    const Tensor c = tensor({true, false, false, true}, {2, 2});
    check(where(c, counted({2, 2}), full({}, -1, DType::f64)), {2, 2}, {0, -1, -1, 3});
    check(where(tensor({true, false}, {2, 1}), counted({2, 2}), counted({2})), {2, 2},
          {0, 1, 0, 1});
    const Tensor a = full({2, 2}, std::nan(""), DType::f64).with_grad(),
                 b = counted({2}).with_grad();
    const Tensor y = where(tensor({false, false, false, false}, {2, 2}), a, b);
    check(y, {2, 2}, {0, 1, 0, 1});
    CHECK(pulled(b, y) == Values{4, 6});
    CHECK(where(tensor(Bits{}, {0, 2}), counted({0, 2}), counted({2})).shape() == Shape{0, 2});
  }

  TEST_CASE("masks are ANDed") {
    const Tensor a = counted({2, 3}).with_mask(holes());
    const Tensor c = tensor(Bits(6, true), {2, 3}).with_mask(Mask::from_lengths({3, 2}));
    check(where(c, a, counted({3})), {2, 3}, {0, none, 2, none, 4, none});
  }

  TEST_CASE("or_else takes the second where the first is not valid") {
    const Tensor a = counted({2, 3}).with_mask(holes()), b = 10 + counted({2, 3});
    check(or_else(a, b), {2, 3}, {0, 11, 2, 13, 4, 5});
    CHECK(!or_else(a, b).has_mask());
    const Mask rows_of_b = Mask::keep(Bits{true, false}, {2});
    check(or_else(a, b.with_mask(rows_of_b)), {2, 3}, {0, 11, 2, none, none, none});
    const Tensor coarse = counted({2, 3}).with_mask(rows_of_b);
    check(or_else(coarse, b.with_mask(Mask::from_lengths({2, 2}, 3))), {2, 3},
          {0, 1, none, 13, 14, none});
    check(or_else(b, a), {2, 3}, {10, none, 12, none, 14, 15});
    check(or_else(b, counted({2, 3})), {2, 3}, {10, 11, 12, 13, 14, 15});
  }

  TEST_CASE("or_else without data has the mask of the second") {
    const Mask possible = masks::meta({any}, "a test", true);
    const Tensor a = rows::make_meta({any, 4}, DType::f32, possible);
    const Tensor b = rows::make_meta({any, 4}, DType::f32);
    CHECK(!or_else(a, b).has_mask());
    CHECK(masks::is_possible(or_else(b, a).mask()));
  }

  TEST_CASE("a recurrence written by hand keeps its state over padding") {
    const Tensor x = counted({2, 3, 1}).with_grad();
    const Tensor masked = x.with_mask(holes());
    Tensor h = zeros({2, 1}, DType::f64);
    for (int t = 0; t < 3; ++t) h = or_else(0.5 * h + select(masked, 1, t), h);
    check(h, {2, 1}, {2, 7});  // 0.5 * 0 + 2; 0.5 * 4 + 5
    CHECK(pulled(x, h) == Values{0.5, 0, 1, 0, 1, 2});
  }
}

}  // namespace maskgrad::tests::test_sequence_values
