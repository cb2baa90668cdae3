#include <maskgrad/autograd/ops/noise/dropout.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace in_cases_noise {

constexpr MaskContract inside_a_row{.role = MaskRole::propagates, .why = "works value by value"};

constexpr std::string_view keyed = "noise is keyed by the sequence's index";

void add_dropout(std::vector<OpCase>& cases, double rate, bool whole_steps) {
  cases.push_back({.op = "dropout",
                   .variant = whole_steps ? "whole steps" : "rate " + std::to_string(rate),
                   .f = [=](const Tensor& x) { return dropout(x, rate, {3}, whole_steps); },
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .laws = {.not_alone = keyed, .not_split = keyed}});
}

void add_noise(std::vector<OpCase>& cases, const char* op, Tensor (*f)(const Tensor&)) {
  cases.push_back({.op = op,
                   .f = f,
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .laws = {.not_alone = keyed, .not_split = keyed}});
}

void add_noises(std::vector<OpCase>& cases) {
  add_noise(cases, "alpha_dropout", [](const Tensor& x) { return alpha_dropout(x, 0.4, {3}); });
  add_noise(cases, "gaussian_dropout",
            [](const Tensor& x) { return gaussian_dropout(x, 0.4, {3}); });
  add_noise(cases, "gaussian_noise", [](const Tensor& x) { return gaussian_noise(x, 0.4, {3}); });
}

}  // namespace in_cases_noise

std::vector<OpCase> noise_cases() {
  using namespace in_cases_noise;
  std::vector<OpCase> cases;
  add_dropout(cases, 0, false);
  add_dropout(cases, 0.4, false);
  add_dropout(cases, 0.4, true);
  add_noises(cases);
  return cases;
}

}  // namespace maskgrad::tests
