#include "op_cases.hpp"

namespace maskgrad::tests {

const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> all = [] {
    std::vector<OpCase> cases;
    for (auto make : {arithmetic_cases, core_cases, shape_cases, position_cases, math_cases,
                      attention_cases, loss_op_cases}) {
      for (auto& c : make()) cases.push_back(std::move(c));
    }
    return cases;
  }();
  return all;
}

}  // namespace maskgrad::tests
