#include <cmath>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/laws/checker.hpp>

namespace maskgrad::laws {
namespace {

/// The first stored value that differs; 0 where the layouts do.
std::int64_t first_difference(const Tensor& x, const Tensor& y) {
  if (!checking::same_layout(x, y)) return 0;
  std::int64_t i = 0;
  while (i + 1 < rows::total(x) && checking::value_at(x, i) == checking::value_at(y, i)) ++i;
  return i;
}

}  // namespace

void Checker::same_bits(const Outcome& a, const Outcome& b, std::string_view garbage) {
  for_each_tensor(a, b, [&](const Tensor& x, const Tensor& y, const std::string& name) {
    ++report_.checks;
    if (checking::identical(x, y)) return;
    if (!checking::same_layout(x, y)) {
      put(1, "{} is {} with 0 where the mask is false, {} with {} there", name, x.describe(),
          y.describe(), garbage);
      return;
    }
    const auto i = first_difference(x, y);
    put(1, "{} is {:.10g} with 0 where the mask is false, {:.10g} with {} there",
        checking::place(name, checking::padded_index(x, i)), checking::value_at(x, i),
        checking::value_at(y, i), garbage);
  });
}

void Checker::zero_where_masked(const Pattern& p, const Outcome& out) {
  for (std::size_t i = 0; i < out.gradients.size(); ++i) {
    const auto kind = subject_.inputs()[i].kind;
    if (kind != InputKind::sequences && kind != InputKind::covered) continue;
    const Tensor& g = out.gradients[i];
    if (!g.defined()) continue;
    ++report_.checks;
    const auto inner = g.shape().count(2, g.rank());
    for (std::int64_t at = 0; at < rows::total(g); ++at) {
      const auto place = p.batch.positions[static_cast<std::size_t>(at / inner)];
      if (subject_.valid(p, i, place, at % inner) || checking::value_at(g, at) == 0) continue;
      put(1, "the gradient of {} is {:.10g} where the mask is false; expected 0",
          checking::place(subject_.inputs()[i].name, checking::padded_index(g, at)),
          checking::value_at(g, at));
      break;
    }
  }
}

void Checker::finite(const Outcome& out) {
  for_each_tensor(out, out, [&](const Tensor& x, const Tensor&, const std::string& what) {
    ++report_.checks;
    for (std::int64_t i = 0; i < rows::total(x); ++i) {
      if (std::isfinite(checking::value_at(x, i))) continue;
      put(7, "{} is {}", checking::place(what, checking::padded_index(x, i)),
          checking::value_at(x, i));
      return;
    }
  });
}

void Checker::zero_where_nothing_is_valid(const Outcome& out) {
  if (!options_.empty_gradient.empty()) return;
  for (std::size_t i = 0; i < out.gradients.size(); ++i) {
    const auto& input = subject_.inputs()[i];
    if (input.kind == InputKind::shared && out.gradients[i].defined()) {
      zero(out.gradients[i], input.name);
    }
  }
  for (std::size_t i = 0; i < out.variables.size(); ++i) {
    zero(out.variables[i], options_.variables[i].name);
  }
}

void Checker::zero(const Tensor& g, const std::string& name) {
  ++report_.checks;
  for (std::int64_t i = 0; i < rows::total(g); ++i) {
    if (checking::value_at(g, i) == 0) continue;
    put(7, "the gradient of {} is {:.10g}, but nothing is valid; expected 0",
        checking::place(name, checking::padded_index(g, i)), checking::value_at(g, i));
    return;
  }
}

}  // namespace maskgrad::laws
