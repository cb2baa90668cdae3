#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/context.hpp>
#include <maskgrad/core/shape.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_checked {
namespace {

constexpr auto big = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_SUITE("checked sizes") {
  TEST_CASE("products and sums that can be counted") {
    CHECK(checked::product("f", "it", {}) == 1);
    CHECK(checked::product("f", "it", {3, 4, 5}) == 60);
    CHECK(checked::product("f", "it", {checked::most}) == checked::most);
    CHECK(checked::product("f", "it", {0, big}) == 0);
    CHECK(checked::sum("f", "it", {}) == 0);
    CHECK(checked::sum("f", "it", {3, 4, 0}) == 7);
    CHECK(checked::sum("f", "it", {checked::most, 0}) == checked::most);
    CHECK(checked::size_product("f", "it", {any, big, big}) == any);
    CHECK(checked::size_sum("f", "it", {big, any, big}) == any);
    CHECK(checked::size_product("f", "it", {3, 4}) == 12);
    CHECK(checked::size_sum("f", "it", {3, 4}) == 7);
  }

  TEST_CASE("those that cannot be are errors with the numbers") {
    CHECK(throws<ShapeError>(
        [] {
          checked::product("repeat", "the steps", {4611686018427387904, 8});
        },
        "repeat: the steps, 4611686018427387904 * 8, is more than can be counted; expected at most "
        "576460752303423487"));
    CHECK(throws<ShapeError>([] { checked::product("f", "it", {big, 2}); }, "can be counted"));
    CHECK(throws<ShapeError>(
        [] {
          checked::product("f", "it", {2, -3});
        },
        "f: it, 2 * -3, has the size -3; expected 0 or more"));
    CHECK(throws<ShapeError>(
        [] {
          checked::sum("f", "it", {big, big});
        },
        "9223372036854775807 + 9223372036854775807", "can be counted"));
    CHECK(throws<ShapeError>([] { checked::sum("f", "it", {5, -6}); }, "has the size -6"));
    CHECK(throws<ShapeError>([] { checked::size_sum("f", "it", {checked::most, 1}); }));
    CHECK(throws<ShapeError>([] { checked::size_product("f", "it", {checked::most, 2}); }));
  }

  TEST_CASE("memory that is not there is an error with fields") {
    try {
      const extend::LayerScope layer("Dense", "head/dense");
      checked::refuse_memory("memory", "f32[8, 9]", 288);
    } catch (const MemoryError& e) {
      CHECK(e.wanted == 288);
      CHECK(e.held >= 0);
      CHECK(e.where == "memory");
      CHECK(e.layer == "head/dense");
      const std::string text = e.what();
      CHECK(text.find("memory in Dense 'head/dense': f32[8, 9] needs 288 bytes, which the system "
                      "does not give; tensors hold ") == 0);
      CHECK(text.find("Use a smaller batch, or end what holds tensors") != std::string::npos);
    }
    CHECK(throws<ShapeError>([] { fail<MemoryError>("f", "x"); }, "f: x"));
  }

  TEST_CASE("a working array of a size that cannot be had") {
    CHECK(checked::vector<int>("f", 3, 7) == std::vector<int>{7, 7, 7});
    CHECK(checked::vector<int>("f", 0).empty());
    for (const std::int64_t count : {std::int64_t{1} << 50, checked::most, big}) {
      CAPTURE(count);
      CHECK(throws<MemoryError>([&] { checked::vector<double>("take", count); },
                                "take: a working array needs", "which the system does not give"));
    }
  }
}

}  // namespace maskgrad::tests::test_checked
