#include "op_cases.hpp"

namespace maskgrad::tests {

const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> all = [] {
    std::vector<OpCase> cases;
    for (auto make :
         {attention_cases, elementwise_cases, linear_cases, loss_op_cases, mask_cases, noise_cases,
          normalization_cases, reduce_cases, sequence_cases, shape_cases}) {
      for (auto& c : make()) cases.push_back(std::move(c));
    }
    return cases;
  }();
  return all;
}

}  // namespace maskgrad::tests
