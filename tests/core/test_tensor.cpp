#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/core/rows.hpp>
#include <maskgrad/core/tensor.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_tensor {
namespace {

using Doubles = std::vector<double>;
using Floats = std::vector<float>;

/// [2, 3, 2] with 2 and 1 valid steps.
Tensor two_sequences() {
  return from_sequences<float>({{1, 2, 3, 4}, {5, 6}}, {2});
}

}  // namespace

TEST_SUITE("tensor") {
  TEST_CASE("an empty one says so") {
    const Tensor x;
    CHECK_FALSE(x.defined());
    CHECK(x.describe() == "an empty tensor");
    CHECK(x.str() == "an empty tensor");
    CHECK(throws<StateError>([&] { x.shape(); }, "Tensor: it is empty"));
    CHECK(throws<StateError>([&] { x.dtype(); }, "empty"));
    CHECK(throws<StateError>([&] { x.mask(); }, "empty"));
    CHECK(throws<StateError>([&] { x.item(); }, "empty"));
    CHECK(throws<StateError>([&] { x.to_vector<float>(); }, "empty"));
  }

  TEST_CASE("values in order, sizes from both ends") {
    const Tensor x = tensor<double>({1, 2, 3, 4, 5, 6}, {2, 3});
    CHECK(x.shape() == Shape{2, 3});
    CHECK(x.dtype() == DType::f64);
    CHECK(x.size(0) == 2);
    CHECK(x.size(-1) == 3);
    CHECK(x.item({1, 0}) == 4);
    CHECK(x.to_vector<double>() == Doubles{1, 2, 3, 4, 5, 6});
    CHECK(x.describe() == "f64[2, 3]");
    CHECK(throws<ShapeError>([&] { x.size(2); }, "size: axis 2", "[2, 3]"));
    CHECK(throws<ShapeError>([&] { x.size(-3); }, "axis -3"));
  }

  TEST_CASE("every element type") {
    CHECK(tensor(std::vector<bool>{true, false}, {2}).to_vector<bool>() ==
          std::vector<bool>{true, false});
    const auto big = std::numeric_limits<std::int64_t>::max();
    CHECK(tensor<std::int64_t>({big, -big}, {2}).to_vector<std::int64_t>() ==
          std::vector<std::int64_t>{big, -big});
    CHECK(arange(3).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 2});
    CHECK(arange(0).shape() == Shape{0});
    CHECK(arange(2, DType::f32).to_vector<float>() == Floats{0, 1});
    CHECK(ones({2}, DType::i64).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 1});
    CHECK(zeros({1}, DType::boolean).to_vector<bool>() == std::vector<bool>{false});
    CHECK(full({2}, 2.5).to_vector<float>() == Floats{2.5f, 2.5f});
    CHECK(scalar(3, DType::f64).item() == 3);
    CHECK(scalar(3).rank() == 0);
    CHECK(std::isnan(full({1}, std::nan("")).item()));
  }

  TEST_CASE("no values at all") {
    const Tensor x = zeros({0, 3});
    CHECK(x.to_vector<float>().empty());
    CHECK(throws<ShapeError>([&] { x.item(); }, "f32[0, 3]", "0 values"));
    CHECK(throws<IndexError>([&] { x.item({0, 0}); }, "index 0 on axis 0"));
    CHECK(tensor(Floats{}, {2, 0}).shape() == Shape{2, 0});
    CHECK_NOTHROW(x.str());
  }

  TEST_CASE("eight axes") {
    const Tensor x = arange(256, DType::f64);
    const Tensor y = tensor(x.to_vector<double>(), {2, 2, 2, 2, 2, 2, 2, 2});
    CHECK(y.item({1, 0, 1, 0, 1, 0, 1, 1}) == 0b10101011);
  }

  TEST_CASE("sequences of unequal length") {
    const Tensor x = two_sequences();
    CHECK(x.shape() == Shape{2, 2, 2});
    CHECK(x.mask().lengths() == std::vector<std::int64_t>{2, 1});
    CHECK(rows::count(x) == 3);
    CHECK(rows::total(x) == 6);
    CHECK(x.to_vector<float>() == Floats{1, 2, 3, 4, 5, 6, 0, 0});
    CHECK(x.to_vector<float>(-1) == Floats{1, 2, 3, 4, 5, 6, -1, -1});
    CHECK(x.item({1, 0, 1}) == 6);
    CHECK(throws<MaskError>([&] { x.item({1, 1, 0}); }, "position [1, 1, 0]", "not valid"));
    CHECK(throws<ShapeError>([&] { x.item({1, 1}); }, "2 indices", "f32[2, 2, 2]"));
    CHECK(throws<IndexError>([&] { x.item({2, 0, 0}); }, "index 2 on axis 0", "0 to 1"));
    CHECK(throws<IndexError>([&] { x.item({0, 0, -1}); }, "index -1 on axis 2"));
    const Tensor ids = from_sequences<std::int64_t>({{1}, {}, {2, 3}});
    CHECK(ids.shape() == Shape{3, 2});
    CHECK(ids.mask().lengths() == std::vector<std::int64_t>{1, 0, 2});
    const Tensor none = from_sequences<double>({}, {4});
    CHECK(none.shape() == Shape{0, 0, 4});
    CHECK(from_sequences<double>({{}, {}}).shape() == Shape{2, 0});
    CHECK(throws<ShapeError>(
        [] {
          from_sequences<float>({{1, 2}, {1, 2, 3}}, {2});
        },
        "sequence 1 has 3 values", "steps of [2] (2)"));
    CHECK(throws<ShapeError>([] { from_sequences<float>({{1, 2}}, {0}); }, "sequence 0"));
  }

  TEST_CASE("a mask over every axis, and over none") {
    const Tensor x =
        rows::make_zeros({2, 2}, DType::f64, Mask::keep({{true, false}, {false, true}}));
    CHECK(rows::inner(x) == 1);
    CHECK(rows::inner_shape(x) == Shape{});
    CHECK(x.item({1, 1}) == 0);
    CHECK(throws<MaskError>([&] { x.item({0, 1}); }, "[0, 1]"));
    const Tensor none = rows::make_zeros({}, DType::f64, Mask::keep(std::vector<bool>{false}, {}));
    CHECK(throws<MaskError>([&] { none.item(); }, "not valid", "mean or maximum of nothing"));
    CHECK(throws<MaskError>([&] { none.item({}); }, "not valid"));
    const Tensor one = rows::make_zeros({}, DType::f64, Mask::keep(std::vector<bool>{true}, {}));
    CHECK(one.item() == 0);
  }

  TEST_CASE("read as another type") {
    const Tensor x = ones({2});
    CHECK(throws<TypeError>([&] { x.to_vector<double>(); }, "to_vector: f32[2] read as f64",
                            "cast it first"));
    CHECK(throws<TypeError>([&] { x.to_vector<std::int64_t>(); }, "read as i64"));
  }

  TEST_CASE("sizes that do not fit the values") {
    CHECK(throws<ShapeError>(
        [] {
          tensor<float>({1, 2, 3}, {2, 2});
        },
        "tensor: 3 values", "[2, 2]", "4 positions"));
    CHECK(throws<ShapeError>([] { tensor<float>({1}, {any}); }, "free sizes"));
    CHECK(throws<ShapeError>([] { zeros({any, 2}); }, "free sizes"));
    CHECK(throws<ShapeError>([] { arange(-2); }, "size -2"));
    CHECK(throws<ShapeError>([] { arange(-1); }));
    const auto huge = std::int64_t{1} << 40;
    CHECK(throws<ShapeError>([&] { zeros({huge, huge}); }, "more values than can be counted"));
  }

  TEST_CASE("what no machine holds is an error that says how much it is, and changes no count") {
    const auto before = memory::stats();
    for (int bits : {46, 52, 58}) {
      CHECK(throws<ShapeError>([&] { zeros({std::int64_t{1} << bits}, DType::f64); },
                               "which the system does not give"));
    }
    CHECK(memory::stats().bytes_in_use == before.bytes_in_use);
    CHECK(memory::stats().bytes_reserved == before.bytes_reserved);
    CHECK(memory::stats().high_water == before.high_water);
    CHECK(memory::stats().heap_allocations == before.heap_allocations);
  }

  TEST_CASE("a meta tensor has no data") {
    const Tensor x = rows::make_meta({any, 3}, DType::f32, masks::meta({any}, "Masking 'm'", true));
    CHECK(x.is_meta());
    CHECK(x.describe() == "f32[any, 3], possible mask [any] made by Masking 'm'");
    CHECK(x.str() == x.describe());
    CHECK(throws<StateError>([&] { x.item(); }, "item", "f32[any, 3]", "meta tensor"));
    CHECK(throws<StateError>([&] { x.item({0, 0}); }, "meta tensor"));
    CHECK(throws<StateError>([&] { x.to_vector<float>(); }, "to_vector", "meta tensor"));
  }

  TEST_CASE("stored rows and shared values") {
    const Tensor x = two_sequences();
    const Tensor y = rows::stored(x);
    CHECK_FALSE(y.has_mask());
    CHECK(y.shape() == Shape{3, 2});
    CHECK(rows::of<float>(x).data() == rows::of<float>(y).data());
    const Tensor z = rows::share(x, {2, 2, 1, 2}, x.mask());
    CHECK(z.item({0, 1, 0, 1}) == 4);
    CHECK(x.mask().origin() == "Mask::from_lengths");
  }
}

TEST_SUITE("printing") {
  TEST_CASE("masked positions are shown, not hidden") {
    CHECK(two_sequences().str() ==
          "[[[1 2]\n  [3 4]]\n [[5 6]\n  [-- --]]]\n"
          "f32[2, 2, 2], mask [2, 2] made by Mask::from_lengths");
    CHECK(scalar(1.5).str() == "1.5\nf32[]");
    CHECK(tensor(std::vector<bool>{true, false}, {2}).str() == "[true false]\nbool[2]");
    CHECK(arange(7).str() == "[0 1 2 3 4 5 6]\ni64[7]");
    CHECK(arange(8).str() == "[0 1 2 ... 5 6 7]\ni64[8]");
    CHECK(zeros({2, 0}).str() == "[[]\n []]\nf32[2, 0]");
    CHECK(zeros({0}).str() == "[]\nf32[0]");
    CHECK(tensor<float>({1e-9f, 12345.678f}, {2}).str() == "[1e-09 1.235e+04]\nf32[2]");
  }

  TEST_CASE("a large one stays short") {
    const Tensor x = zeros({1000, 1000});
    CHECK(x.str().size() < 400);
    const Tensor masked = rows::make_zeros({50, 2}, DType::f32, masks::all({50}, "all"));
    CHECK(masked.str().find("...") != std::string::npos);
  }
}

}  // namespace maskgrad::tests::test_tensor
