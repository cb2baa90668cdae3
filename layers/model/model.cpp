#include <maskgrad/layers/model/model.hpp>

#include <algorithm>

namespace maskgrad {
namespace detail {

Tensors metas_of(const std::vector<Spec>& specs) {
  Tensors metas;
  for (const auto& spec : specs) metas.push_back(spec.meta());
  return metas;
}

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

}  // namespace detail

void BuiltFor::note(const Tensors& inputs) {
  if (!Builder::current()) return;
  inputs_.clear();
  seed_ = Builder::current()->seed();
  for (const auto& x : inputs) inputs_.push_back(x.value());
}

Tensors BuiltFor::metas(std::string_view where) const {
  if (inputs_.empty()) {
    fail<StateError>(where, "the model was not built yet; call build(Spec) first");
  }
  Tensors metas;
  for (const auto& x : inputs_) {
    const Mask mask = x.has_mask() ? masks::meta(x.mask().shape(), x.mask().origin()) : Mask();
    metas.push_back(rows::make_meta(x.shape(), x.dtype(), mask));
  }
  return metas;
}

std::vector<Spec> BuiltFor::specs(std::string_view where) const {
  std::vector<Spec> all;
  for (const auto& x : metas(where)) {
    if (x.dtype() == DType::boolean) {
      fail<TypeError>(where, "an input is {}; expected f32, f64 or ids", x.describe());
    }
    const Spec spec = x.dtype() == DType::f32   ? Spec::f32(x.shape())
                      : x.dtype() == DType::f64 ? Spec::f64(x.shape())
                                                : Spec::ids(x.shape());
    all.push_back(x.has_mask() ? spec.masked(x.mask().rank()) : spec);
  }
  return all;
}

}  // namespace maskgrad
