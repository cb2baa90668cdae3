#include <maskgrad/optim/factory.hpp>

#include "run.hpp"

namespace maskgrad::conformance {

void run_optimizer(const Case& c, Comparison& result) {
  std::vector<Parameter> parameters;
  for (const auto& name : c.under("param.")) {
    parameters.emplace_back(c.tensor("param." + name), name);
  }
  const auto optimizer = make_optimizer(c.subject, parameters, c.config);
  for (int k = 0; !c.under("step." + std::to_string(k) + ".").empty(); ++k) {
    const auto step = "step." + std::to_string(k) + ".";
    for (const auto& p : parameters) {
      if (c.has(step + "grad." + p.name())) p.set_grad(c.tensor(step + "grad." + p.name()));
    }
    if (!optimizer->step().applied) result.wrong(step + " was not applied");
    for (const auto& p : parameters) {
      const auto name = "expected." + step + p.name();
      if (c.has(name)) result.values(name, p.value());
    }
  }
}

}  // namespace maskgrad::conformance
