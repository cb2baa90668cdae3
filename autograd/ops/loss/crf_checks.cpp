#include <maskgrad/autograd/ops/loss/crf_checks.hpp>

#include <algorithm>

#include <maskgrad/autograd/checking.hpp>

namespace maskgrad::sequence_dp {
namespace {

/// OptionError, with the place, where a score is NaN.
void check_numbers(std::string_view where, const Tensor& scores, std::string_view name) {
  dispatch_real(where, scores.dtype(), [&]<class T>() {
    const auto values = rows::of<T>(scores);
    const auto bad = std::find_if(values.begin(), values.end(), [](T v) { return v != v; });
    if (bad == values.end()) return;
    const auto index = checking::padded_index(scores, bad - values.begin());
    fail<OptionError>(where,
                      "{} of {} is NaN, so that no path is the best; expected numbers. Look for "
                      "what made it, or mask the step",
                      checking::place(std::string(name), index), scores.describe());
  });
}

}  // namespace

void check_chain(std::string_view where, const Tensor& x, const Tensor& transitions) {
  check::real(where, x);
  check::same_dtype(where, x, transitions);
  check::rank(where, x, 3, "[batch, time, tags]");
  check::inner_axis(where, x, -1, "mask whole steps");
  const auto tags = x.shape().back();
  if (transitions.has_mask() || transitions.rank() != 2 || tags == 0 ||
      !fits(transitions.shape(), {tags, tags})) {
    fail<ShapeError>(where,
                     "transitions {} for potentials {}; expected transitions [tags, tags], at "
                     "least one tag, and potentials [batch, time, tags]",
                     transitions.describe(), x.describe());
  }
}

void check_scores(std::string_view where, const Tensor& x, const Tensor& transitions,
                  const Sequences& steps) {
  check_numbers(where, x, "potentials");
  const auto linked = [](std::int64_t length) { return length > 1; };
  if (std::any_of(steps.length.begin(), steps.length.end(), linked)) {
    check_numbers(where, transitions, "transitions");
  }
}

}  // namespace maskgrad::sequence_dp
