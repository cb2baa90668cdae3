#include <maskgrad/layers/model/walks.hpp>

#include <maskgrad/core/context.hpp>
#include <maskgrad/layers/layer/builder.hpp>

namespace maskgrad::detail {

BuildPlace::BuildPlace(LayerInfo* info) {
  auto* outer = Builder::current();
  inside = outer != nullptr;
  if (!outer) return;
  if (info && !info->placed) outer->place(*info);
  const auto* layer = extend::LayerScope::current();
  path = info ? info->path : std::string(layer ? layer->path() : "");
}

Undo::~Undo() {
  // Inner layers first.
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) (*undo)->put_back();
}
void Undo::remember(const LayerView& view) {
  if (auto before = view.remember()) undo_.push_back(std::move(before));
}

void check_built(const LayerView& view) {
  for (const auto& [name, p] : view.parameters) {
    if (p->defined()) continue;
    fail<StateError>(name,
                     "{} '{}' has no parameters yet; build the model first: "
                     "model.build(Spec, Seed)",
                     view.kind, view.path);
  }
}

void ParameterList::add(const LayerView& view) {
  check_built(view);
  for (const auto& entry : view.parameters) {
    if (first_(*entry.second)) all_.push_back(*entry.second);
  }
}

void Cloner::operator()(const LayerView& view) {
  for (const auto& entry : view.parameters) {
    Parameter& p = *entry.second;
    if (!p.defined()) continue;
    const auto known = made_.find(identity(p));
    if (known != made_.end()) {
      p = known->second;
      continue;
    }
    const Parameter copy = p.clone(keep_ ? p.dtype() : dtype_);
    made_.emplace(identity(p), copy);
    made_.emplace(identity(copy), copy);  // where the walk comes by the same layer again
    originals_.push_back(std::exchange(p, copy));
  }
}

void NewNoise::operator()(const LayerView& view) const {
  if (view.info) view.info->noise = noise_;
  for (const auto& entry : view.parameters) {
    if (entry.second->defined()) entry.second->set_noise(noise_);
  }
}

}  // namespace maskgrad::detail
