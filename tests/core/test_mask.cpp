#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/core/mask_rows.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/core/tensor.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_mask {
namespace {

using Bits = std::vector<bool>;
using Ints = std::vector<std::int64_t>;

Ints list(const extend::Index& index) {
  return {index.begin(), index.end()};
}

}  // namespace

TEST_SUITE("mask") {
  TEST_CASE("no mask") {
    const Mask none;
    CHECK_FALSE(none);
    CHECK(none == Mask());
    CHECK(throws<MaskError>([&] { none.shape(); }, "no mask here"));
    CHECK(throws<MaskError>([&] { none.valid(); }, "no mask here"));
    CHECK(throws<MaskError>([&] { none.at({0}); }, "no mask here"));
    CHECK(throws<MaskError>([&] { none.to_vector(); }, "no mask here"));
    CHECK(throws<MaskError>([&] { none.lengths(); }, "no mask here"));
    CHECK(throws<MaskError>([&] { none.origin(); }, "no mask here"));
  }

  TEST_CASE("rows of a mask with holes, left padding and an empty sequence") {
    const Mask m = Mask::keep({{true, false, true}, {false, false, false}, {false, true, true}});
    CHECK(m.shape() == Shape{3, 3});
    CHECK(m.valid() == 4);
    CHECK_FALSE(m.all_valid());
    CHECK(m.lengths() == Ints{2, 0, 2});
    CHECK(list(m.impl().positions) == Ints{0, 2, 7, 8});
    CHECK(list(m.impl().first) == Ints{0, 2, 2});
    CHECK(list(m.impl().row_of()) == Ints{0, -1, 1, -1, -1, -1, -1, 2, 3});
    CHECK(m.at({2, 1}));
    CHECK_FALSE(m.at({1, 1}));
    CHECK(m.origin() == "Mask::keep");
    CHECK(m.to_vector() == Bits{1, 0, 1, 0, 0, 0, 0, 1, 1});
  }

  TEST_CASE("the ways to make one agree") {
    const Mask a = Mask::from_lengths({2, 0, 3}, 4);
    const Bits bits{1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0};
    Bits flipped = bits;
    flipped.flip();
    CHECK(a == Mask::keep(bits, {3, 4}));
    CHECK(a == Mask::drop(flipped, {3, 4}));
    CHECK(a == Mask::keep(tensor(bits, {3, 4})));
    CHECK(a == Mask::drop(tensor(flipped, {3, 4})));
    CHECK(a.lengths() == Ints{2, 0, 3});
    CHECK(list(a.impl().first) == Ints{0, 2, 2});
    CHECK(Mask::from_lengths({2, 0, 3}).shape() == Shape{3, 3});
    CHECK_FALSE(a == Mask::from_lengths({2, 0, 3}, 5));
    CHECK_FALSE(a == Mask::from_lengths({2, 0, 2}, 4));
    CHECK_FALSE(a == Mask());
  }

  TEST_CASE("empty in every way") {
    const Mask no_sequences = Mask::from_lengths(std::initializer_list<std::int64_t>{});
    CHECK(no_sequences.shape() == Shape{0, 0});
    CHECK(no_sequences.valid() == 0);
    CHECK(no_sequences.all_valid());
    const Mask no_steps = Mask::from_lengths({0, 0});
    CHECK(no_steps.shape() == Shape{2, 0});
    CHECK(no_steps.lengths() == Ints{0, 0});
    const Mask all_empty = Mask::from_lengths({0, 0}, 3);
    CHECK(all_empty.valid() == 0);
    CHECK(all_empty.to_vector() == Bits(6, false));
    CHECK(Mask::keep(Bits{}, {3, 0}).lengths() == Ints{0, 0, 0});
    CHECK(Mask::keep(std::initializer_list<std::initializer_list<bool>>{}).shape() == Shape{0, 0});
  }

  TEST_CASE("a mask of no axes is one position") {
    const Mask yes = Mask::keep(Bits{true}, {}), no = Mask::keep(Bits{false}, {});
    CHECK(yes.rank() == 0);
    CHECK(yes.valid() == 1);
    CHECK(no.valid() == 0);
    CHECK(yes.at({}));
    CHECK_FALSE(no.at({}));
    CHECK(yes.lengths() == Ints{1});
    CHECK_FALSE(yes == no);
  }

  TEST_CASE("eight axes, and a long one") {
    const Shape deep{2, 1, 2, 1, 2, 1, 2, 1};
    Bits bits(16, true);
    bits[5] = false;
    const Mask m = Mask::keep(bits, deep);
    CHECK(m.valid() == 15);
    CHECK_FALSE(m.at({0, 0, 1, 0, 0, 0, 1, 0}));
    CHECK(m.lengths().size() == 16);
    const Mask longer = Mask::from_lengths({1000000, 3}, 1000000);
    CHECK(longer.valid() == 1000003);
    CHECK(longer.at({1, 2}));
    CHECK_FALSE(longer.at({1, 3}));
  }

  TEST_CASE("where any feature differs") {
    const double nan = std::nan("");
    const Tensor x = tensor<double>({0, 0, 0, 1, nan, 0, nan, nan, -0.0, 0}, {5, 2});
    CHECK(Mask::where_any_differs(x, 0).to_vector() == Bits{0, 1, 1, 1, 0});
    CHECK(Mask::where_any_differs(x, nan).to_vector() == Bits{1, 1, 1, 0, 1});
    const Tensor ids = tensor<std::int64_t>({0, 3, 0, 0}, {2, 2});
    CHECK(Mask::where_any_differs(ids, 0).to_vector() == Bits{1, 0});
    CHECK(Mask::where_any_differs(zeros({3, 0}), 0).to_vector() == Bits{0, 0, 0});
    CHECK(Mask::where_any_differs(ones({4}), 0).rank() == 0);
    // In f32 the value is compared as f32.
    CHECK(Mask::where_any_differs(full({1, 1}, 0.1), 0.1).valid() == 0);
    CHECK(throws<ShapeError>([] { Mask::where_any_differs(scalar(1), 0); }, "f32[]",
                             "expected [..., features]"));
    const Tensor masked = rows::make(Shape{2, 3}, DType::f32, Mask::from_lengths({1, 2}, 3));
    CHECK(throws<ShapeError>([&] { Mask::where_any_differs(masked, 0); },
                             "without a mask over features"));
  }

  TEST_CASE("where any feature differs, among the steps that are not masked yet") {
    const Tensor x = tensor<float>({1, 0, 2, 9, 9, 0, 0, 3}, {2, 4, 1});
    const Mask steps = Mask::keep({{true, true, true, false}, {false, true, true, true}});
    CHECK(Mask::where_any_differs(x.with_mask(steps), 0).to_vector() ==
          Bits{1, 0, 1, 0, 0, 0, 0, 1});
    const Mask samples = Mask::keep({false, true}, {2});
    CHECK(Mask::where_any_differs(x.with_mask(samples), 0).to_vector() ==
          Bits{0, 0, 0, 0, 1, 0, 0, 1});
    const Mask none = Mask::keep({false, false}, {2});
    CHECK(Mask::where_any_differs(x.with_mask(none), 0).valid() == 0);
  }

  TEST_CASE("ids have no fractions and no NaN to pad with") {
    const Tensor ids = tensor<std::int64_t>({0, 1}, {2, 1});
    CHECK(Mask::where_any_differs(ids, 0.5).all_valid());
    CHECK(Mask::where_any_differs(ids, std::nan("")).all_valid());
    CHECK(Mask::where_any_differs(ids, 1e300).all_valid());
  }

  TEST_CASE("what cannot be a mask") {
    CHECK(throws<ShapeError>(
        [] {
          Mask::keep(Bits{1, 0}, {3});
        },
        "Mask::keep", "2 truth values", "[3]", "3 positions"));
    CHECK(throws<ShapeError>([] { Mask::drop(Bits{1, 0}, {any}); }, "free sizes"));
    CHECK(throws<ShapeError>([] { Mask::keep({{true, false}, {true}}); }, "rows of 2 and of 1"));
    CHECK(throws<ShapeError>(
        [] {
          Mask::from_lengths({1, 5, 2}, 4);
        },
        "sequence 1 has length 5", "0 to 4"));
    CHECK(throws<ShapeError>([] { Mask::from_lengths({1, -2}); }, "sequence 1 has length -2"));
    CHECK(throws<ShapeError>([] { Mask::from_lengths({-1}); }, "sequence 0 has length -1"));
    CHECK(throws<ShapeError>([] { Mask::from_lengths({1}, -7); }, "-7"));
    CHECK(
        throws<TypeError>([] { Mask::keep(ones({2})); }, "Mask::keep", "f32[2]", "tensor of bool"));
    CHECK(throws<TypeError>([] { Mask::drop(arange(2)); }, "Mask::drop", "i64[2]"));
    const Mask m = Mask::from_lengths({1, 2});
    CHECK(throws<ShapeError>([&] { m.at({0}); }, "1 indices", "[2, 2]"));
    CHECK(throws<IndexError>([&] { m.at({0, 2}); }, "index 2 on axis 1", "[2, 2]"));
    CHECK(throws<IndexError>([&] { m.at({-1, 0}); }, "index -1 on axis 0"));
  }

  TEST_CASE("a mask without data") {
    const Mask m = masks::meta({any, 4}, "somewhere");
    CHECK(m.shape() == Shape{any, 4});
    CHECK(m.origin() == "somewhere");
    CHECK(masks::is_meta(m));
    CHECK_FALSE(masks::is_possible(m));
    CHECK(masks::is_possible(masks::meta({2}, "x", true)));
    CHECK(throws<StateError>([&] { m.valid(); }, "[any, 4]", "no positions"));
    CHECK(throws<StateError>([&] { m.at({0, 0}); }, "no positions"));
    CHECK(throws<StateError>([&] { m.lengths(); }, "no positions"));
    CHECK(throws<Error>([&] { m.to_vector(); }));
    CHECK(throws<Error>([&] { (void)m.all_valid(); }));
  }
}

}  // namespace maskgrad::tests::test_mask
