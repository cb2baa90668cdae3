#include <maskgrad/autograd/parameter.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/elementwise/cast.hpp>

namespace maskgrad {

Parameter::Parameter(const Tensor& value, std::string name, bool trainable)
    : state_(make_ref<State>()) {
  if (value.has_mask() || value.is_meta()) {
    fail<MaskError>("Parameter", "'{}' was given {}; a parameter has data and no mask", name,
                    value.describe());
  }
  Tensor own = rows::make(value.shape(), value.dtype());
  std::copy_n(value.impl().storage.data(), value.impl().storage.bytes(), own.impl().storage.data());
  state_->value = own;
  state_->trainable = trainable;
  state_->state = !trainable;
  leaf_ = make_ref<tape::Leaf>(std::move(name), own);
}

const Parameter::State& Parameter::state() const {
  if (!state_) {
    fail<StateError>("Parameter",
                     "it has no values yet: its layer was not built. Call build(...) "
                     "with the input's specification first");
  }
  return *state_;
}

Tensor Parameter::tensor() const {
  const auto& s = state();
  if (!s.trainable) return s.value;
  return Tensor(Ref<const Counted>(&s.value.impl()), Ref<Counted>(leaf_), 0);
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

const Ref<detail::NoiseState>& Parameter::noise() const {
  state();
  return leaf_->noise;
}
void Parameter::set_noise(Ref<detail::NoiseState> noise) const {
  state();
  leaf_->noise = std::move(noise);
}

Parameter Parameter::clone(DType dtype) const {
  const NoGrad no_grad;
  Parameter copy(cast(state().value, dtype), name(), !state().state);
  copy.state_->trainable = trainable();
  return copy;
}

}  // namespace maskgrad
