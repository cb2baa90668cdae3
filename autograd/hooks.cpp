#include <maskgrad/autograd/hooks.hpp>

#include <utility>

#include <maskgrad/autograd/extend.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view custom_gradient_op = "custom_gradient";

/// A node whose backward is operations anyway: they are recorded where that is asked for.
class HookNode final : public tape::Node {
 public:
  explicit HookNode(detail::Hook hook) : Node("hook"), hook_(std::move(hook)) {}
  void run(Grads& grads) override { grads.add(0, made(grads.output(0))); }
  void run_recorded() override { hand_on(0, made(slots[0].grad)); }

 private:
  Tensor made(const Tensor& dy) const {
    const Tensor g = hook_(dy);
    return g.defined() ? g : dy;
  }
  detail::Hook hook_;
};

}  // namespace

Tensor detail::hooked(const Tensor& x, Hook hook) {
  if (!tape::any_on_tape({x})) return x;
  const auto node = detail::make_ref<HookNode>(std::move(hook));
  node->connect(x);
  return node->attach(x.value());
}

Tensor straight_through(const Tensor& value, const Tensor& x) {
  constexpr std::string_view op = "straight_through";
  check::real(op, x);
  check::same_dtype(op, value, x);
  if (value.shape() != x.shape() || value.mask() != x.mask()) {
    fail<ShapeError>(op, "the value is {} for x {}; expected the same shape and mask",
                     value.describe(), x.describe());
  }
  return tape::passed(op, value.value(), x);
}

Tensor custom_gradient(
    const std::vector<Tensor>& x, const std::function<Tensor(const std::vector<Tensor>&)>& forward,
    const std::function<std::vector<Tensor>(const Tensor& dy, const std::vector<Tensor>& x,
                                            const Tensor& y)>& backward) {
  detail::require_function(custom_gradient_op, forward);
  detail::require_function(custom_gradient_op, backward);
  std::vector<Tensor> values;
  std::vector<Saved> kept;
  for (const auto& t : x) {
    values.push_back(t.value());
    kept.emplace_back(t);
  }
  const auto y = [&] {
    const NoGrad no_grad;
    return forward(values);
  }();
  return record_many(custom_gradient_op, {y}, x, [kept, y, backward](auto& grads) {
    std::vector<Tensor> in;
    Tensor result = y;
    if constexpr (is_adjoint<decltype(grads)>) {
      for (std::size_t i = 0; i < kept.size(); ++i) {
        in.push_back(grads.input(static_cast<int>(i), kept[i]));
      }
      result = grads.result(y);
    } else {
      for (const auto& k : kept) in.push_back(k.get());
    }
    const auto gradients = backward(grads.output(0), in, result);
    if (gradients.size() != in.size()) {
      fail<GradError>(custom_gradient_op,
                      "backward gave {} gradients for {} tensors x; expected one for each",
                      gradients.size(), in.size());
    }
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (gradients[i].defined()) grads.add(static_cast<int>(i), gradients[i]);
    }
  })[0];
}

}  // namespace maskgrad
