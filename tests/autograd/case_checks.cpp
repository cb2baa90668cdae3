#include "autograd/case_checks.hpp"

#include <doctest/doctest.h>

#include <maskgrad/autograd/laws/run.hpp>

#ifdef __has_feature  // clang++'s way of saying it
#if __has_feature(address_sanitizer)
#define MASKGRAD_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define MASKGRAD_SANITIZED
#endif

namespace maskgrad::tests {
namespace in_case_checks {

// Every variable by itself says where a fault is. Under sanitizers, which ask for ten times the
// time and look for other faults, two directions of all variables see what there is to see.
#ifdef MASKGRAD_SANITIZED
constexpr bool each_variable = false;
#else
constexpr bool each_variable = true;
#endif

void check(const OpCase& c, const std::vector<Tensor>& inputs, const std::string& mask, int order) {
  const auto title = c.title() + ", " + mask;
  CAPTURE(title);
  try {
    const GradcheckOptions options{.relative = c.tolerance,
                                   .order = order,
                                   .directions = order == 1 && each_variable ? 0 : 2,
                                   .variables = c.laws.variables};
    const auto report = gradcheck(c.f, inputs, options);
    CHECK_MESSAGE(static_cast<bool>(report), report.str());
  } catch (const std::exception& e) {
    FAIL_CHECK(title, " throws: ", e.what());
  }
}

MaskRole role_under(const OpCase& c, laws::MaskOver over) {
  if (over == laws::MaskOver::samples) return c.contract.under_sample();
  return over == laws::MaskOver::full ? c.contract.under_full() : c.contract.role;
}

bool applies(const OpCase& c, laws::MaskOver over) {
  const bool wanted = over == laws::MaskOver::steps     ? c.laws.steps
                      : over == laws::MaskOver::samples ? c.laws.samples
                      : over == laws::MaskOver::full    ? c.laws.full
                                                        : true;
  return wanted &&
         (over == laws::MaskOver::nothing || role_under(c, over) != MaskRole::unsupported);
}

/// The whole data of a case under every pattern of one kind of mask.
void check_under(const OpCase& c, laws::MaskOver over, int order) {
  const auto data = law_inputs(c);
  const laws::Subject subject(c.f, data, c.laws);
  for (const auto& pattern : subject.patterns(over)) {
    if (pattern.batch.positions.size() != case_batch * case_time) continue;
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < data.size(); ++i) {
      const bool masked = over != laws::MaskOver::nothing && data[i].kind == InputKind::sequences;
      inputs.push_back(masked ? data[i].value.with_mask(subject.mask(pattern, pattern.batch, i))
                              : data[i].value);
    }
    check(c, inputs, std::string(laws::name(over)) + " " + pattern.name, order);
  }
}

}  // namespace in_case_checks

void check_gradients(const OpCase& c, int order) {
  using namespace in_case_checks;
  using laws::MaskOver;
  if (!c.gradient) return;
  for (auto over : {MaskOver::nothing, MaskOver::steps, MaskOver::samples, MaskOver::full}) {
    if (applies(c, over)) check_under(c, over, order);
  }
}

void check_laws(const OpCase& c, DType dtype) {
  using namespace in_case_checks;
  auto options = c.laws;
  options.dtype = dtype;
  const auto report = check_mask_laws(c.f, law_inputs(c), c.contract, options);
  CHECK_MESSAGE(static_cast<bool>(report), c.title(), ": ", report.str());
}

}  // namespace maskgrad::tests
