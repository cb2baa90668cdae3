#include <maskgrad/autograd/gradcheck.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/gradient_checker.hpp>

namespace maskgrad {

Variable variable_of(const Parameter& parameter) {
  return {.name = parameter.name(),
          .value = parameter.value(),
          .set =
              [parameter](const Tensor& value, bool wanted) {
                parameter.set(value);
                parameter.set_trainable(wanted);
                parameter.clear_grad();
              },
          .grad = [parameter] { return parameter.grad(); },
          .tensor = [parameter] { return parameter.tensor(); }};
}

std::string GradcheckReport::str() const {
  std::string text = wrong ? fmt::format("{} of {} gradients wrong", wrong, checked)
                           : fmt::format("{} gradients agree", checked);
  if (checked) {
    text += fmt::format("; worst: {}: analytic {:.10g}, numeric {:.10g}, difference {:.3g}",
                        position.empty() ? variable : checking::place(variable, position), analytic,
                        numeric, difference);
  }
  for (const auto& problem : problems) text += "\n" + problem;
  return text;
}

namespace {

using checking::GradientChecker;

/// The gradients of f as a function of its inputs and of the gradients of its real results.
Callable gradients_of(const Callable& f, std::size_t inputs,
                      const std::vector<Variable>& variables) {
  return [=](const std::vector<Tensor>& all) {
    const detail::Recording on(true);
    const auto split = all.begin() + static_cast<std::ptrdiff_t>(inputs);
    const std::vector<Tensor> x(all.begin(), split);
    std::vector<Tensor> roots, seeds, targets;
    auto seed = split;
    for (const auto& y : f(x)) {
      if (!is_real(y.dtype())) continue;
      if (y.on_tape()) {
        roots.push_back(y);
        seeds.push_back(*seed);
      }
      ++seed;
    }
    for (const auto& t : x) {
      if (t.on_tape()) targets.push_back(t);
    }
    for (const auto& v : variables) {
      if (v.tensor) targets.push_back(v.tensor());
    }
    auto found = tape::gradients(roots, seeds, targets, {.create_graph = true});
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (!found[i].defined()) found[i] = zeros_like(targets[i]);
    }
    return found;
  };
}

GradcheckReport second_order(const Callable& f, const std::vector<Tensor>& inputs,
                             const GradcheckOptions& options) {
  auto all = inputs;
  for (auto& x : all) x = x.value();
  std::vector<Tensor> results;
  {
    const NoGrad no_grad;
    results = f(all);
  }
  for (std::size_t k = 0; k < results.size(); ++k) {
    if (!is_real(results[k].dtype())) continue;
    const Seed seed = options.seed.of(100 + k);
    all.push_back(checking::like(results[k], [&](std::int64_t i) {
      return 2 * random::unit_at(seed, static_cast<std::uint64_t>(i)) - 1;
    }));
  }
  const Callable gradients = gradients_of(f, inputs.size(), options.variables);
  GradientChecker checker(gradients, all, options, true);
  for (const auto& v : options.variables) checker.add(v);
  return checker.run();
}

/// Both orders in one report; the worst entry is that of the second where it is the worse.
GradcheckReport joined(GradcheckReport first, GradcheckReport second) {
  for (const auto& problem : first.problems) second.problems.push_back(problem);
  second.checked += first.checked;
  second.wrong += first.wrong;
  if (second.excess >= first.excess || std::isnan(second.excess)) {
    second.variable += ", second derivative";
    return second;
  }
  first.checked = second.checked;
  first.wrong = second.wrong;
  first.problems = std::move(second.problems);
  return first;
}

}  // namespace

GradcheckReport gradcheck(const Callable& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  if (options.order != 1 && options.order != 2) {
    fail<OptionError>("gradcheck", "the order is {}; expected 1 or 2", options.order);
  }
  if (options.directions < 0) {
    fail<OptionError>("gradcheck", "directions is {}; expected 0 or more", options.directions);
  }
  GradientChecker checker(f, inputs, options);
  for (const auto& v : options.variables) checker.add(v);
  const auto report = checker.run();
  if (options.order == 1 || !report) return report;
  return joined(report, second_order(f, inputs, options));
}

}  // namespace maskgrad
