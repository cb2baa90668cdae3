#include <doctest/doctest.h>

#include <maskgrad/core/mask_rows.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_mask_algebra {
namespace {

using Bits = std::vector<bool>;

Mask named(const Bits& bits, const Shape& shape, const std::string& origin) {
  const std::vector<std::uint8_t> bytes(bits.begin(), bits.end());
  return masks::from_bits(bytes, shape, origin);
}

const Mask& sample() {
  static const Mask m = named({1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0}, {3, 4}, "sample");
  return m;
}

}  // namespace

TEST_SUITE("mask algebra") {
  TEST_CASE("both is AND, and the same mask costs nothing") {
    const Mask& a = sample();
    const Mask b = named({1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1}, {3, 4}, "b");
    const Mask ab = masks::both(a, b, {3, 4});
    CHECK(ab.to_vector() == Bits{1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0});
    CHECK(ab.origin() == "sample AND b");
    CHECK(masks::both(a, a, {3, 4}).same(a));
    CHECK(masks::both(a, Mask(), {3, 4}).same(a));
    CHECK(masks::both(Mask(), a, {3, 4}).same(a));
    CHECK_FALSE(masks::both(Mask(), Mask(), {3, 4}));
    CHECK(masks::both(a, masks::all({3, 4}, "all"), {3, 4}).same(a));
    CHECK(masks::both(ab, a, {3, 4}).origin() == "sample AND b");
  }

  TEST_CASE("broadcast") {
    const Mask row = named({1, 0, 1, 1}, {1, 4}, "row"),
               column = named({0, 1, 1}, {3, 1}, "column");
    CHECK(masks::broadcast(row, {3, 4}).to_vector() == Bits{1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1});
    CHECK(masks::both(row, column, {3, 4}).to_vector() == Bits{0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 1, 1});
    CHECK(masks::broadcast(named({1, 0}, {2}, "x"), {2, 2}).to_vector() == Bits{1, 0, 1, 0});
    CHECK(masks::broadcast(named({0}, {}, "x"), {2, 2}).valid() == 0);
    CHECK(masks::broadcast(row, {0, 4}).shape() == Shape{0, 4});
    CHECK(masks::broadcast(sample(), {3, 4}).same(sample()));
  }

  TEST_CASE("slice, select, permute, reshape") {
    const Mask& m = sample();
    CHECK(masks::slice(m, 1, 1, 2, 1).to_vector() == Bits{1, 0, 1, 1, 0, 0});
    CHECK(masks::slice(m, 1, 3, 4, -1).to_vector() == Bits{0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0});
    CHECK(masks::slice(m, 0, 0, 2, 2).to_vector() == Bits{1, 1, 0, 0, 0, 0, 0, 0});
    CHECK(masks::slice(m, 1, 0, 0, 1).shape() == Shape{3, 0});
    CHECK(masks::select(m, 1, 1).to_vector() == Bits{1, 1, 0});
    CHECK(masks::select(m, 0, 1).to_vector() == Bits{1, 1, 1, 0});
    CHECK(masks::select(masks::select(m, 0, 0), 0, 3).rank() == 0);
    const std::array<int, 2> turned{1, 0};
    const Mask t = masks::permute(m, turned);
    CHECK(t.shape() == Shape{4, 3});
    CHECK(t.to_vector() == Bits{1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0});
    CHECK(masks::permute(t, turned) == m);
    CHECK(masks::reshape(m, {2, 6}).to_vector() == m.to_vector());
    CHECK(masks::reshape(m, {12}).lengths() == std::vector<std::int64_t>{5});
    CHECK(masks::reshape(m, {3, 4, 1}).lengths().size() == 12);
    CHECK(t.origin() == "sample");
  }

  TEST_CASE("any over axes") {
    const Mask& m = sample();
    CHECK(masks::any_over(m, 0b10, false).to_vector() == Bits{1, 1, 0});
    CHECK(masks::any_over(m, 0b01, false).to_vector() == Bits{1, 1, 1, 0});
    CHECK(masks::any_over(m, 0b10, true).shape() == Shape{3, 1});
    CHECK(masks::any_over(m, 0b11, false).rank() == 0);
    CHECK(masks::any_over(m, 0b11, false).valid() == 1);
    CHECK(masks::any_over(m, 0b11, true).shape() == Shape{1, 1});
    CHECK(masks::any_over(m, 0, false) == m);
    const Mask none = Mask::from_lengths({0, 0}, 0);
    CHECK(masks::any_over(none, 0b10, false).to_vector() == Bits{0, 0});
    CHECK(masks::any_over(none, 0b11, false).valid() == 0);
  }

  TEST_CASE("concatenate") {
    const Mask a = named({1, 0, 0, 1}, {2, 2}, "a"), b = named({0, 1}, {2, 1}, "b");
    const std::vector<Mask> parts{a, Mask(), b};
    const std::vector<Shape> along{{2, 2}, {2, 1}, {2, 1}};
    const Mask c = masks::concatenate(parts, along, 1);
    CHECK(c.to_vector() == Bits{1, 0, 1, 0, 0, 1, 1, 1});
    CHECK(c.origin() == "a AND b");
    const std::vector<Shape> down{{2, 2}, {1, 2}, {2, 2}};
    const std::vector<Mask> three{a, Mask(), a};
    const Mask d = masks::concatenate(three, down, 0);
    CHECK(d.shape() == Shape{5, 2});
    CHECK(d.to_vector() == Bits{1, 0, 0, 1, 1, 1, 1, 0, 0, 1});
    CHECK(d.origin() == "a");
  }

  TEST_CASE("masks without data keep their shape and whether they are certain") {
    const Mask certain = masks::meta({any, 4}, "c"), possible = masks::meta({any, 4}, "p", true);
    CHECK_FALSE(masks::is_possible(masks::both(certain, possible, {any, 4})));
    CHECK(masks::is_possible(masks::both(possible, possible, {any, 4})));
    CHECK(masks::is_meta(masks::both(certain, sample(), {3, 4})));
    CHECK(masks::any_over(certain, 0b10, false).shape() == Shape{any});
    CHECK(masks::is_possible(masks::any_over(certain, 0b10, false)));
    CHECK(masks::select(certain, 1, 2).shape() == Shape{any});
    CHECK(masks::slice(certain, 1, 1, 2, 1).shape() == Shape{any, 2});
    const std::array<int, 2> turned{1, 0};
    CHECK(masks::permute(certain, turned).shape() == Shape{4, any});
    CHECK(masks::reshape(certain, {any}).shape() == Shape{any});
    CHECK(masks::broadcast(masks::meta({1, 4}, "c"), {any, 4}).shape() == Shape{any, 4});
    const std::vector<Mask> parts{certain, Mask()};
    const std::vector<Shape> shapes{{any, 4}, {any, 2}};
    CHECK(masks::concatenate(parts, shapes, 1).shape() == Shape{any, 6});
  }

  TEST_CASE("with one bit wrong, masks are not equal") {
    const Bits bits = sample().to_vector();
    for (std::size_t i = 0; i < bits.size(); ++i) {
      Bits other = bits;
      other[i] = !other[i];
      CHECK_FALSE(Mask::keep(other, {3, 4}) == sample());
    }
  }
}

}  // namespace maskgrad::tests::test_mask_algebra
