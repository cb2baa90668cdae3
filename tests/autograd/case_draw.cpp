#include "op_cases.hpp"

#include <numeric>

#include <maskgrad/core/random.hpp>

namespace maskgrad::tests {
namespace in_case_draw {

double drawn(Draw how, Seed seed, std::uint64_t i, std::uint64_t count) {
  const double u = random::unit_at(seed, i);
  switch (how) {
    case Draw::positive:
      return 0.5 + 1.5 * u;
    case Draw::unit:
      return 0.1 + 0.8 * u;
    case Draw::away_from_zero:
      return (u < 0.5 ? -1 : 1) * (0.2 + 1.8 * random::unit_at(seed, i + count));
    case Draw::distinct: {
      // A walk through all ranks; `step` shares no factor with the count, so each comes once.
      std::uint64_t step = count / 2 + seed.value % 3 + 1;
      while (std::gcd(step, count) != 1) ++step;
      return 0.1 * static_cast<double>(i * step % count) - 0.05 * static_cast<double>(count);
    }
    default:
      return 3 * u - 1.5;
  }
}

}  // namespace in_case_draw

Tensor draw(const CaseInput& input, std::uint64_t seed) {
  using namespace in_case_draw;
  Shape shape = input.shape;
  if (input.kind == InputKind::samples) shape = Shape{case_batch} + shape;
  if (input.kind != InputKind::samples && input.kind != InputKind::shared) {
    shape = Shape{case_batch, case_time} + shape;
  }
  const auto count = static_cast<std::uint64_t>(shape.count());
  if (input.draw == Draw::normal) return random_normal(shape, {seed}, DType::f64);
  if (input.draw == Draw::ids || input.draw == Draw::truth) {
    std::vector<std::int64_t> ids;
    for (std::uint64_t i = 0; i < count; ++i) {
      ids.push_back(static_cast<std::int64_t>(5 * random::unit_at({seed}, i)));
    }
    if (input.draw == Draw::ids) return tensor(ids, shape);
    std::vector<bool> truth;
    for (auto id : ids) truth.push_back(id % 2 == 0);
    return tensor(truth, shape);
  }
  std::vector<double> values;
  for (std::uint64_t i = 0; i < count; ++i) values.push_back(drawn(input.draw, {seed}, i, count));
  return tensor(values, shape);
}

std::vector<LawInput> law_inputs(const OpCase& c) {
  using namespace in_case_draw;
  std::vector<LawInput> inputs;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    inputs.push_back({"input " + std::to_string(i), c.inputs[i].kind, draw(c.inputs[i], 100 + i)});
  }
  return inputs;
}

}  // namespace maskgrad::tests
