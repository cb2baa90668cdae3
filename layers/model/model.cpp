#include <maskgrad/layers/model/model.hpp>

#include <algorithm>

namespace maskgrad::detail {

void set_path(LayerView& view) {
  if (view.info) view.info->path = view.path;
}

void collect_parameters(const LayerView& view, std::vector<Parameter>& into) {
  for (const auto& entry : view.parameters) {
    const Parameter& p = *entry.second;
    if (!p.defined()) {
      fail<StateError>(entry.first,
                       "{} '{}' has no parameters yet; build the model first: "
                       "model.build(Spec, Seed)",
                       view.kind, view.path);
    }
    const bool known =
        std::any_of(into.begin(), into.end(), [&](const auto& q) { return q.same(p); });
    if (!known) into.push_back(p);
  }
}

void Cloner::operator()(const LayerView& view) {
  for (const auto& entry : view.parameters) {
    Parameter& p = *entry.second;
    if (!p.defined()) continue;
    const auto found = std::find_if(made_.begin(), made_.end(),
                                    [&](const auto& pair) { return pair.first.same(p); });
    if (found != made_.end()) {
      p = found->second;
    } else {
      Parameter copy = p.clone(keep_ ? p.dtype() : dtype_);
      made_.emplace_back(p, copy);
      p = copy;
    }
  }
}

}  // namespace maskgrad::detail
