#include <limits>

#include <maskgrad/autograd/ops/sequence/causal_convolution.hpp>
#include <maskgrad/autograd/ops/sequence/linear_recurrence.hpp>
#include <maskgrad/autograd/ops/sequence/positions.hpp>
#include <maskgrad/autograd/ops/sequence/recurrent.hpp>
#include <maskgrad/autograd/ops/sequence/segment.hpp>
#include <maskgrad/autograd/ops/sequence/selective_scan.hpp>
#include <maskgrad/autograd/ops/sequence/windows.hpp>

#include "counted.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_sequence_messages {
namespace {

Tensor made(const Shape& shape) {
  return zeros(shape, DType::f64);
}

constexpr auto whole_step =
    " has a mask over features; a step is there or not as a whole. Mask [batch, time], or fill "
    "single values with x.drop_mask(\"why\")";

}  // namespace

TEST_SUITE("messages of operations on sequences") {
  TEST_CASE("selective_scan") {
    const Tensor x = made({2, 4, 3}), a = made({5, 3}), b = made({2, 4, 5});
    const auto scan = [](const Tensor& input, const Tensor& delta, const Tensor& rates,
                         const Tensor& in, const Tensor& out, const Tensor& initial = {}) {
      selective_scan(input, delta, rates, in, out, {.initial = initial});
    };
    const std::string where = " for x f64[2, 4, 3] and a f64[5, 3]";
    CHECK(throws<ShapeError>([&] { scan(a, x, a, b, b); },
                             "selective_scan: got f64[5, 3] with 2 axes; expected 3 [batch, time, "
                             "inner]"));
    CHECK(throws<ShapeError>([&] { scan(x, b, a, b, b); },
                             "selective_scan: delta is f64[2, 4, 5]; expected [2, 4, 3]" + where));
    CHECK(throws<ShapeError>([&] { scan(x, x, a, x, b); },
                             "selective_scan: b is f64[2, 4, 3]; expected [2, 4, 5]" + where));
    CHECK(throws<ShapeError>(
        [&] {
          scan(x, x, a, b, b, made({2, 3, 5}));
        },
        "selective_scan: the initial state is f64[2, 3, 5]; expected [2, 5, "
        "3]" +
            where));
    CHECK(throws<MaskError>([&] { scan(fully_masked(x), x, a, b, b); }, whole_step));
    CHECK(throws<MaskError>([&] { scan(x, x, fully_masked(a), b, b); }, "weights have no padding"));
  }

  TEST_CASE("causal_convolution") {
    const Tensor x = made({2, 4, 3});
    CHECK(throws<ShapeError>(
        [&] {
          causal_convolution(x, made({2, 2}));
        },
        "causal_convolution: f64[2, 4, 3] with kernel f64[2, 2]; expected "
        "[width, features], a width of 1 or more"));
    CHECK(throws<ShapeError>([&] { causal_convolution(x, made({0, 3})); }, "a width of 1 or more"));
    CHECK(throws<ShapeError>(
        [&] {
          causal_convolution(x, made({4, 3}), {.initial = made({2, 4, 3})});
        },
        "causal_convolution: the initial steps are f64[2, 4, 3]; expected [2, 3, 3] for x f64[2, "
        "4, 3] and kernel f64[4, 3]"));
    CHECK(throws<MaskError>(
        [&] {
          causal_convolution(fully_masked(x), made({2, 3}));
        },
        whole_step));
  }

  TEST_CASE("linear_recurrence") {
    const Tensor x = made({2, 4, 3}), h = made({2, 3});
    CHECK(throws<TypeError>([] { linear_recurrence(arange(3), arange(3)); },
                            "linear_recurrence: got i64[3]"));
    CHECK(throws<TypeError>(
        [&] {
          linear_recurrence(x, zeros({2, 4, 3}));
        },
        "linear_recurrence: f64[2, 4, 3] with f32[2, 4, 3]"));
    CHECK(throws<ShapeError>([&] { linear_recurrence(x, h); },
                             "linear_recurrence: a f64[2, 4, 3] with b f64[2, 3]; expected [batch, "
                             "time, ...] of the same sizes"));
    CHECK(throws<ShapeError>([&] { linear_recurrence(made({2}), made({2})); },
                             "linear_recurrence: a f64[2] with b f64[2]"));
    CHECK(throws<MaskError>([&] { linear_recurrence(fully_masked(x), x); },
                            fully_masked(x).describe() + whole_step));
    CHECK(throws<ShapeError>(
        [&] {
          linear_recurrence(x, x, {.initial = made({2, 2})});
        },
        "linear_recurrence: the initial state is f64[2, 2]; expected [2, 3] "
        "for a f64[2, 4, 3]"));
    const Tensor some = h.with_mask(Mask::keep(std::vector<bool>{true, false}, {2}));
    CHECK(throws<MaskError>([&] { linear_recurrence(x, x, {.initial = some}); },
                            "linear_recurrence: the initial state f64[2, 3]",
                            "lacks sequences of the input f64[2, 4, 3]"));
  }

  TEST_CASE("recurrent") {
    using kernels::Cell;
    const Tensor x = made({2, 4, 3}), kernel = made({3, 6}), own = made({2, 6}), h = made({2, 2});
    const auto gru = [&](const Tensor& input, const RecurrentWeights& w,
                         const RecurrentState& state = {}) {
      recurrent(Cell::gru, true, false, input, w, state);
    };
    const RecurrentWeights weights{kernel, own, {}};
    CHECK(throws<TypeError>([&] { gru(arange(3), weights); }, "recurrent: got i64[3]"));
    CHECK(throws<TypeError>(
        [&] {
          gru(x, {zeros({3, 6}), own, {}});
        },
        "recurrent: f64[2, 4, 3] with f32[3, 6]"));
    CHECK(throws<ShapeError>([&] { gru(h, weights); },
                             "recurrent: got f64[2, 2] with 2 axes; expected 3 [batch, time, "
                             "features]"));
    CHECK(throws<MaskError>([&] { gru(fully_masked(x), weights); },
                            fully_masked(x).describe() + whole_step));
    const std::string where = " for the input f64[2, 4, 3] and 2 units";
    CHECK(throws<ShapeError>(
        [&] {
          gru(x, {made({3, 2}), own, {}});
        },
        "recurrent: the kernel is f64[3, 2]; expected [3, 6]" + where));
    CHECK(throws<ShapeError>(
        [&] {
          gru(x, {kernel, made({2, 2}), {}});
        },
        "recurrent: the recurrent kernel is f64[2, 2]; expected [2, 6]" + where));
    CHECK(throws<ShapeError>(
        [&] {
          gru(x, {kernel, own, made({6})});
        },
        "recurrent: the bias is f64[6]; expected [2, 6]" + where));
    CHECK(throws<ShapeError>(
        [&] {
          gru(x, weights, {made({3, 2}), {}});
        },
        "recurrent: the initial state is f64[3, 2]; expected [2, 2]" + where));
    CHECK(throws<ShapeError>(
        [&] {
          gru(x, weights, {h, made({2, 3})});
        },
        "recurrent: the initial cell state is f64[2, 3]; expected [2, 2]"));
    CHECK(throws<MaskError>(
        [&] {
          gru(x, {fully_masked(kernel), own, {}});
        },
        "recurrent: got f64[3, 6], mask [3, 6] made by Mask::keep, but weights "
        "have no padding; put the mask on the input, or end the mask with "
        "x.drop_mask(\"why\")"));
    const Tensor some = h.with_mask(Mask::keep(Bits{true, false}, {2}));
    const std::string own_mask =
        "recurrent: the initial state f64[2, 2], mask [2] made by Mask::keep lacks sequences of "
        "the input f64[2, 4, 3]; expected a state for each. Give the others one with "
        "or_else(state, zeros)";
    CHECK(throws<MaskError>([&] { gru(x, weights, {some, {}}); }, own_mask));
    CHECK(throws<MaskError>([&] { gru(x, weights, {h, some}); }, "the initial cell state"));
    CHECK(throws<MaskError>(
        [&] {
          gru(x.with_mask(Mask::keep(Bits{true, true}, {2})), weights, {some, {}});
        },
        "lacks sequences of the input"));
    CHECK_NOTHROW(gru(x.with_mask(some.mask()), weights, {some, {}}));
  }

  TEST_CASE("windows") {
    const Tensor x = made({2, 4, 3});
    CHECK(throws<TypeError>(
        [&] {
          windows(zeros({2, 4, 3}, DType::boolean), {});
        },
        "windows: got bool[2, 4, 3]; expected numbers"));
    CHECK(throws<ShapeError>(
        [] {
          windows(made({2, 4}), {});
        },
        "windows: got f64[2, 4] with 2 axes; expected 3 [batch, time, "
        "features]"));
    CHECK(throws<OptionError>(
        [&] { windows(x, {.width = 0}); },
        "windows: width 0, stride 1, dilation 1; expected 1 to 1073741824 each"));
    CHECK(throws<OptionError>([&] { windows(x, {.stride = 0}); }, "stride 0"));
    CHECK(throws<OptionError>([&] { windows(x, {.dilation = -1}); }, "dilation -1"));
    CHECK(throws<MaskError>([&] { windows(fully_masked(x), {}); },
                            fully_masked(x).describe() + whole_step));
  }

  TEST_CASE("segments") {
    const Tensor x = made({2, 3, 2}), ids = zeros({2, 3}, DType::i64);
    for (auto f : {segment_sum, segment_mean, segment_max, segment_min}) {
      CHECK(throws<TypeError>([&] { f(ids, ids, 2); }, "got i64[2, 3]; expected f32 or f64"));
      CHECK(throws<TypeError>([&] { f(x, x, 2); }, "got f64[2, 3, 2]; expected ids, i64"));
      CHECK(throws<ShapeError>([&] { f(x, arange(3), 2); },
                               "got i64[3] with 1 axes; expected 2 [batch, time]"));
      CHECK(throws<OptionError>([&] { f(x, ids, 0); },
                                "0 segments for f64[2, 3, 2]; expected 1 or more"));
      CHECK(throws<ShapeError>(
          [&] {
            f(x, zeros({2, 4}, DType::i64), 2);
          },
          "f64[2, 3, 2] with ids i64[2, 4]; expected x [batch, time, ...] and "
          "ids [batch, time]"));
      CHECK(throws<MaskError>([&] { f(fully_masked(x), ids, 2); },
                              fully_masked(x).describe() + whole_step));
      const Tensor beyond = tensor<std::int64_t>({0, 0, 0, 0, 2, 0}, {2, 3});
      CHECK(throws<IndexError>([&] { f(x, beyond, 2); },
                               "id 2 at position [1, 1] of i64[2, 3]; expected 0 <= id < 2, the "
                               "segments"));
    }
  }

  TEST_CASE("positions") {
    CHECK(throws<ShapeError>([] { positions(arange(3)); },
                             "positions: input is i64[3]; expected [batch, time, ...]"));
    CHECK(throws<OptionError>(
        [] {
          positions(zeros({1, 2, 3}), std::numeric_limits<std::int64_t>::max());
        },
        "positions: start is 9223372036854775807; expected a position from -9007199254740992 to "
        "9007199254740992"));
    const Tensor x = made({2, 3, 4});
    CHECK(throws<MaskError>([&] { positions(fully_masked(x)); },
                            fully_masked(x).describe() +
                                " has a mask over more than its steps; a step is there or not as a "
                                "whole. Mask [batch, time], or fill single values with "
                                "x.drop_mask(\"why\")"));
    CHECK(throws<TypeError>(
        [] {
          rotate_by_position(zeros({2, 3, 4}, DType::i64), {1});
        },
        "rotate_by_position: got i64[2, 3, 4]"));
    CHECK(throws<MaskError>(
        [&] {
          rotate_by_position(fully_masked(x), {1, 1});
        },
        "rotate_by_position: f64[2, 3, 4]"));
    CHECK(throws<ShapeError>(
        [&] {
          rotate_by_position(x, {1, 2, 3});
        },
        "rotate_by_position: input is f64[2, 3, 4] with 3 frequencies; "
        "expected [batch, time, ..., 6]"));
    CHECK(throws<ShapeError>(
        [&] {
          sine_positions(x, {1, 2, 3});
        },
        "sine_positions: input is f64[2, 3, 4] with 3 frequencies; expected [batch, time, "
        "features], "
        "and a frequency for each two features"));
  }
}

}  // namespace maskgrad::tests::test_sequence_messages
