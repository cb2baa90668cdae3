#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include <maskgrad/core/shape.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_shape {

TEST_SUITE("shape") {
  TEST_CASE("sizes, counts and text") {
    const Shape s{2, 3, 4};
    CHECK(s.rank() == 3);
    CHECK(s.count() == 24);
    CHECK(s.count(1, 3) == 12);
    CHECK(s.count(2, 2) == 1);
    CHECK(s.back() == 4);
    CHECK(s.str() == "[2, 3, 4]");
    CHECK(s.sub(1, 3) == Shape{3, 4});
    CHECK(s + Shape{5} == Shape{2, 3, 4, 5});
    CHECK(s != Shape{2, 3});
    CHECK(s != Shape{2, 3, 5});
    CHECK(fmt::format("{}", s) == "[2, 3, 4]");
  }

  TEST_CASE("no axes are one value, an axis of 0 none") {
    CHECK(Shape{}.count() == 1);
    CHECK(Shape{}.str() == "[]");
    CHECK(Shape{3, 0, 5}.count() == 0);
    CHECK(Shape{} == Shape{});
  }

  TEST_CASE("free sizes") {
    const Shape s{any, 3};
    CHECK(s.has_any());
    CHECK_FALSE(Shape{2}.has_any());
    CHECK(s.str() == "[any, 3]");
    CHECK(fits(s, Shape{7, 3}));
    CHECK(fits(Shape{7, 3}, s));
    CHECK_FALSE(fits(s, Shape{7, 4}));
    CHECK_FALSE(fits(s, Shape{7}));
    CHECK(throws<ShapeError>([&] { s.count(); }, "[any, 3]", "free sizes"));
    CHECK(s.count(1, 2) == 3);
  }

  TEST_CASE("what is no shape") {
    CHECK(throws<ShapeError>(
        [] {
          Shape{2, -3};
        },
        "Shape: axis 1 has size -3; expected 0 or more"));
    CHECK(throws<ShapeError>([] { Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}; }, "9 axes", "at most 8"));
    CHECK(throws<ShapeError>([] { Shape{1, 1, 1, 1, 1} + Shape{1, 1, 1, 1}; }, "8 axes"));
    const auto huge = std::numeric_limits<std::int64_t>::max();
    CHECK(throws<ShapeError>([&] { Shape{huge, 2}.count(); }, "more values than can be counted"));
    CHECK(throws<ShapeError>([&] { Shape{huge, huge, huge}.count(); }, "than can be counted"));
    CHECK_NOTHROW(Shape{1, 2, 3, 4, 5, 6, 7, 8}.count());
  }

  TEST_CASE("axes from the back") {
    const Shape s{2, 3, 4};
    CHECK(extend::normal_axis("f", -1, s) == 2);
    CHECK(extend::normal_axis("f", -3, s) == 0);
    CHECK(extend::normal_axis("f", 1, s) == 1);
    CHECK(throws<ShapeError>([&] { extend::normal_axis("f", 3, s); }, "f: axis 3", "[2, 3, 4]",
                             "-3 to 2"));
    CHECK(throws<ShapeError>([&] { extend::normal_axis("f", -4, s); }, "axis -4"));
    CHECK(throws<ShapeError>([&] { extend::normal_axis("f", 0, Shape{}); }, "axis 0", "[]"));
  }

  TEST_CASE("offsets visit every index in order") {
    const Shape s{2, 3};
    const std::array<std::int64_t, 2> transposed{1, 2};
    std::vector<std::int64_t> seen;
    extend::for_each_offset(s, transposed, [&](std::int64_t flat, std::int64_t at) {
      CHECK(flat == static_cast<std::int64_t>(seen.size()));
      seen.push_back(at);
    });
    CHECK(seen == std::vector<std::int64_t>{0, 2, 4, 1, 3, 5});
    extend::for_each_offset(Shape{2, 0}, transposed, [](auto, auto) { FAIL_CHECK("no index"); });
    int once = 0;
    extend::for_each_offset(Shape{}, transposed, [&](auto, auto) { ++once; });
    CHECK(once == 1);
    CHECK(extend::strides_of(Shape{2, 3, 4})[0] == 12);
    CHECK(extend::strides_of(Shape{2, 3, 4})[2] == 1);
  }
}

}  // namespace maskgrad::tests::test_shape
