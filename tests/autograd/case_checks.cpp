#include "autograd/case_checks.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include <maskgrad/autograd/gradients.hpp>
#include <maskgrad/autograd/laws/run.hpp>
#include <maskgrad/autograd/ops.hpp>

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
// time and look for other faults, one direction of all variables sees what there is to see.
#ifdef MASKGRAD_SANITIZED
constexpr int directions_of(int) {
  return 1;
}
#else
constexpr int directions_of(int order) {
  return order == 1 ? 0 : 2;
}
#endif

void check(const OpCase& c, const std::vector<Tensor>& inputs, const std::string& mask, int order) {
  const auto title = c.title() + ", " + mask;
  CAPTURE(title);
  try {
    const GradcheckOptions options{.relative = c.tolerance,
                                   .order = order,
                                   .directions = directions_of(order),
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

/// The gradient by input `place` of the sum of squares of all that f gives.
std::vector<Tensor> gradient_of_squares(const Callable& f, std::vector<Tensor> inputs,
                                        std::size_t place) {
  Tensor& x = inputs[place];
  if (!x.on_tape()) x = x.with_grad();
  Tensor total;
  for (const auto& y : f(inputs)) {
    if (!is_real(y.dtype())) continue;
    const Tensor squares = sum(square(y));
    total = total.defined() ? total + squares : squares;
  }
  if (!total.defined() || !total.on_tape()) return {zeros_like(x)};
  const Tensor g =
      gradients(total, std::vector<Tensor>{x}, {.create_graph = true, .allow_unused = true})[0];
  return {g.defined() ? g : zeros_like(x)};
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

bool check_second_laws(const OpCase& c) {
  using namespace in_case_checks;
  const auto inputs = law_inputs(c);
  const auto x = std::find_if(inputs.begin(), inputs.end(), [](const LawInput& in) {
    return in.kind == InputKind::sequences && is_real(in.value.dtype());
  });
  // Squares of sums over the batch mix its sequences.
  if (!c.gradient || !c.laws.steps || c.laws.batch_axis != 0 || x == inputs.end()) return false;
  if (c.contract.role == MaskRole::unsupported) return false;
  OpCase second = c;
  const auto place = static_cast<std::size_t>(x - inputs.begin());
  second.f = [f = c.f, place](const std::vector<Tensor>& xs) {
    return gradient_of_squares(f, xs, place);
  };
  second.variant += " in its second derivative";
  second.contract = {.role = MaskRole::supports, .why = "a gradient has its input's mask"};
  second.laws.samples = second.laws.full = false;
  second.laws.carriers = LawOptions{}.carriers;
  second.laws.without_data = "a gradient needs data";
  second.laws.tolerance = 1e-8;
  second.laws.other_way = 1e-12;
  check_laws(second, DType::f64);
  return true;
}

}  // namespace maskgrad::tests
