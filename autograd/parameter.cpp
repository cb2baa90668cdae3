#include <maskgrad/autograd/parameter.hpp>

#include <algorithm>
#include <functional>

#include <maskgrad/autograd/ops/elementwise/cast.hpp>

namespace maskgrad {

Parameter::Parameter(const Tensor& value, std::string name, bool trainable)
    : state_(detail::make_ref<State>()) {
  if (value.has_mask() || value.is_meta()) {
    fail<MaskError>("Parameter", "'{}' was given {}; a parameter has data and no mask", name,
                    value.describe());
  }
  Tensor own = rows::make(value.shape(), value.dtype());
  std::copy_n(value.impl().storage.data(), value.impl().storage.bytes(), own.impl().storage.data());
  state_->value = own;
  state_->trainable = trainable;
  state_->state = !trainable;
  leaf_ = detail::make_ref<tape::Leaf>(std::move(name), own);
}

const Parameter::State& Parameter::state() const {
  if (!state_) {
    fail<StateError>("Parameter",
                     "it has no values yet: its layer was not built. Call build(...) "
                     "with the input's specification first");
  }
  return *state_;
}

namespace {
thread_local const ParameterScope* values_now = nullptr;
}  // namespace

ParameterScope::ParameterScope(const std::vector<Parameter>& parameters,
                               const std::vector<Tensor>& values)
    : kept_(parameters), outer_(values_now) {
  constexpr std::string_view where = "ParameterScope";
  if (parameters.size() != values.size()) {
    fail<ShapeError>(where, "{} values for {} parameters; expected one for each", values.size(),
                     parameters.size());
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& own = parameters[i].state().value;
    const Tensor& v = values[i];
    if (!v.defined() || v.shape() != own.shape() || v.dtype() != own.dtype() || v.has_mask()) {
      fail<ShapeError>(where, "the value of '{}' is {}; expected {}, without a mask",
                       parameters[i].name(), v.defined() ? v.describe() : "undefined",
                       own.describe());
    }
    values_.emplace_back(parameters[i].state_.get(), v);
  }
  std::sort(values_.begin(), values_.end(),
            [](const auto& a, const auto& b) { return std::less<>()(a.first, b.first); });
  values_now = this;
}
ParameterScope::~ParameterScope() {
  values_now = outer_;
}

const Tensor* ParameterScope::find(const Parameter& parameter) const {
  const void* state = parameter.state_.get();
  for (const auto* scope = this; scope; scope = scope->outer_) {
    const auto at = std::lower_bound(
        scope->values_.begin(), scope->values_.end(), state,
        [](const auto& entry, const void* s) { return std::less<>()(entry.first, s); });
    if (at != scope->values_.end() && at->first == state) return &at->second;
  }
  return nullptr;
}

Tensor Parameter::tensor() const {
  if (values_now) {
    if (const auto* value = values_now->find(*this)) return *value;
  }
  const auto& s = state();
  if (!s.trainable) return s.value;
  return Tensor(detail::Ref<const detail::Counted>(&s.value.impl()),
                detail::Ref<detail::Counted>(leaf_), 0);
}

Tensor Parameter::value() const {
  return Parameter(state().value).state().value;
}

void Parameter::set(const Tensor& value) const {
  const auto& own = state().value;
  if (value.shape() != own.shape() || value.has_mask()) {
    fail<ShapeError>("set", "parameter '{}' has shape {}, the new values are {}", name(),
                     own.shape(), value.describe());
  }
  if (value.dtype() != own.dtype() || value.is_meta()) {
    fail<TypeError>("set", "parameter '{}' is {}, the new values are {}; cast them first", name(),
                    maskgrad::name(own.dtype()), value.describe());
  }
  const auto& to = own.impl().storage;
  if (to.data() != value.impl().storage.data()) {
    std::copy_n(value.impl().storage.data(), to.bytes(), to.data());
  }
  to.bump_version();
}

const std::string& Parameter::name() const {
  state();
  return leaf_->name;
}
void Parameter::rename(std::string name) const {
  state();
  leaf_->name = std::move(name);
}
bool Parameter::trainable() const {
  return state().trainable;
}
bool Parameter::is_state() const {
  return state().state;
}
void Parameter::set_trainable(bool trainable) const {
  if (trainable && state().state) {
    fail<OptionError>("set_trainable", "'{}' is a state of its layer, which no gradient changes",
                      name());
  }
  state();
  state_->trainable = trainable;
}
Tensor Parameter::grad() const {
  state();
  return tape::as_read(leaf_->grad);
}
const Tensor& Parameter::grad_value() const {
  state();
  return leaf_->grad;
}
void Parameter::clear_grad() const {
  state();
  leaf_->grad = {};
  leaf_->count = 0;
}
double Parameter::grad_count() const {
  state();
  return leaf_->count;
}

void Parameter::set_grad(const Tensor& grad, double count) const {
  const auto& own = state().value;
  if (grad.shape() != own.shape() || grad.dtype() != own.dtype() || grad.has_mask()) {
    fail<ShapeError>("set_grad", "parameter '{}' is {}, the gradient is {}", name(), own.describe(),
                     grad.describe());
  }
  leaf_->grad = grad.value();
  leaf_->count = count;
}

const detail::Ref<detail::NoiseState>& Parameter::noise() const {
  state();
  return leaf_->noise;
}
void Parameter::set_noise(detail::Ref<detail::NoiseState> noise) const {
  state();
  leaf_->noise = std::move(noise);
}

Parameter Parameter::clone(DType dtype) const {
  const NoGrad no_grad;
  Parameter copy(cast(state().value, dtype), name(), !state().state);
  copy.state_->trainable = trainable();
  return copy;
}

std::vector<Parameter> trainable(const std::vector<Parameter>& parameters) {
  std::vector<Parameter> those;
  for (const auto& p : parameters) {
    if (p.trainable()) those.push_back(p);
  }
  return those;
}

}  // namespace maskgrad
