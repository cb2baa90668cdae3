#include <maskgrad/layers/basic/lambda.hpp>

#include <algorithm>

namespace maskgrad {
namespace {

[[noreturn]] void refuse_json() {
  fail<OptionError>("Lambda",
                    "a function has no JSON; expected a layer that lists its options. Write a "
                    "class with the function in `forward` (samples/4_own_layer.cpp), and call "
                    "register_layer<T>()");
}

}  // namespace

Lambda::Lambda(Callable function, MaskContract declared, LambdaOptions options)
    : info(kind, options.name),
      function_(std::move(function)),
      declared_(declared),
      time_(options.time) {}

Lambda Lambda::from_options(extend::OptionReader&) {
  refuse_json();
}
void Lambda::write_options(extend::OptionWriter&) const {
  refuse_json();
}

void Lambda::check_mask(const Tensors& inputs, const Tensor& y) const {
  const auto masked =
      std::find_if(inputs.begin(), inputs.end(), [](const Tensor& x) { return x.has_mask(); });
  const bool any_masked = masked != inputs.end();
  const MaskRole role = any_masked ? detail::role_under(declared_, *masked) : declared_.role;
  const bool passes = role == MaskRole::propagates || role == MaskRole::supports;
  const bool lost = !y.has_mask() && (role == MaskRole::produces || (passes && any_masked));
  const bool kept = role == MaskRole::consumes && any_masked && y.has_mask() &&
                    fits(y.mask().shape(), masked->mask().shape());
  if (!lost && !kept) return;
  fail<MaskError>(kind,
                  "it is declared that it {} a mask ({}), but of {} its function made {}; expected "
                  "{}. Declare what it does",
                  name(role), declared_.why, inputs[0].describe(), y.describe(),
                  lost ? "a result with a mask" : "a result without that mask");
}

Tensors Lambda::forward(const Tensors& inputs) const {
  Tensors outputs = function_(inputs);
  for (const auto& y : outputs) check_mask(inputs, y);
  return outputs;
}

}  // namespace maskgrad
