#include <doctest/doctest.h>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/gradients.hpp>
#include <maskgrad/autograd/ops.hpp>

namespace maskgrad::tests::test_recompute {

/// Results and gradients of a recurrence over sequences of 0 to 300 steps.
std::vector<Tensor> all_of(kernels::Cell cell, bool reset_after, bool backwards, std::int64_t units,
                           DType type, bool recompute) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < 9; ++i) lengths.push_back(i * 300 / 8);
  const auto draw = [type](const Shape& shape, std::uint64_t seed) {
    return (random_normal(shape, {seed}, type) * 0.3).value().with_grad();
  };
  const auto wide = kernels::gates_of(cell) * units;
  const bool lstm = cell == kernels::Cell::lstm, gru = cell == kernels::Cell::gru;
  const Tensor x =
      random_normal({9, 300, 5}, {1}, type).with_mask(Mask::from_lengths(lengths, 300)).with_grad();
  const std::vector<Tensor> in{x,
                               draw({5, wide}, 2),
                               draw({units, wide}, 3),
                               draw(gru && reset_after ? Shape{2, wide} : Shape{wide}, 4),
                               draw({9, units}, 5),
                               draw({9, units}, 6)};
  const auto y = recurrent(cell, reset_after, backwards, in[0], {in[1], in[2], in[3]},
                           {in[4], lstm ? in[5] : Tensor()}, recompute);
  Tensor total = sum(square(y.output)) + sum(y.state.h);
  if (lstm) total = total + sum(y.state.c);
  auto all = gradients(total, in, {.allow_unused = true});
  all.push_back(y.output.value());
  all.push_back(y.state.h.value());
  return all;
}

TEST_CASE("recomputing gives the same bits, forward and backward") {
  using kernels::Cell;
  for (const auto cell : {Cell::simple_rnn, Cell::gru, Cell::lstm}) {
    for (const bool after : {false, true}) {
      if (!after && cell != Cell::gru) continue;
      for (const auto type : {DType::f32, DType::f64}) {
        for (const std::int64_t units : {7, 40}) {
          const bool backwards = units == 7;
          const auto kept = all_of(cell, after, backwards, units, type, false);
          const auto made = all_of(cell, after, backwards, units, type, true);
          for (std::size_t i = 0; i < kept.size(); ++i) {
            CAPTURE(i);
            CAPTURE(static_cast<int>(cell));
            CHECK(kept[i].defined() == made[i].defined());
            if (kept[i].defined()) CHECK(checking::identical(kept[i].value(), made[i].value()));
          }
        }
      }
    }
  }
}

TEST_CASE("without outputs the states and their gradients have the same bits") {
  using kernels::Cell;
  for (const auto cell : {Cell::simple_rnn, Cell::gru, Cell::lstm}) {
    for (const bool recompute : {false, true}) {
      const auto wide = kernels::gates_of(cell) * 7;
      const std::vector<std::int64_t> lengths{0, 150, 4};
      const Tensor x =
          random_normal({3, 150, 5}, {1}).with_mask(Mask::from_lengths(lengths, 150)).with_grad();
      const std::vector<Tensor> in{x, random_normal({5, wide}, {2}).value().with_grad(),
                                   random_normal({7, wide}, {3}).value().with_grad()};
      const auto all = [&](bool outputs) {
        const auto y =
            recurrent(cell, false, true, in[0], {in[1], in[2], {}}, {}, recompute, outputs);
        CHECK(y.output.defined() == outputs);
        Tensor total = sum(square(y.state.h));
        if (cell == Cell::lstm) total = total + sum(y.state.c);
        auto made = gradients(total, in, {.retain = true});
        const auto again = gradients(total, in, {.create_graph = true});
        auto twice = gradients(sum(square(again[1])) + sum(square(again[2])), in);
        made.insert(made.end(), twice.begin(), twice.end());
        made.push_back(y.state.h.value());
        return made;
      };
      const auto with = all(true), without = all(false);
      for (std::size_t i = 0; i < with.size(); ++i) {
        CAPTURE(i);
        CHECK(checking::identical(with[i].value(), without[i].value()));
      }
    }
  }
}

}  // namespace maskgrad::tests::test_recompute
