#include <maskgrad/layers/layer/time_contract.hpp>

#include <fmt/format.h>

namespace maskgrad {
namespace {

std::string steps(std::int64_t n) {
  return n == endless ? "endless" : std::to_string(n);
}

}  // namespace

std::string TimeContract::str() const {
  if (look_ahead == endless) return "needs the whole sequence";
  std::string text = fmt::format("back {}", steps(look_back));
  if (look_back == endless && state.empty()) text += ", not kept";
  text += fmt::format(" · ahead {}", steps(look_ahead));
  if (stride != 1) text += fmt::format(" · a step for each {}", stride);
  if (so_far) text += " · a result so far";
  if (evaluate_only) text += " · under Evaluate";
  return text;
}

}  // namespace maskgrad
