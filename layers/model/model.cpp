#include <maskgrad/layers/model/model.hpp>

#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/core/context.hpp>

namespace maskgrad {
namespace detail {

Tensors metas_of(const std::vector<Spec>& specs) {
  Tensors metas;
  for (const auto& spec : specs) metas.push_back(spec.meta());
  return metas;
}

void refuse_carried(const LayerView& view, std::string_view where, std::string_view option,
                    std::string_view instead) {
  if (!view.carried) return;
  fail<OptionError>(where, "{}, and {} '{}' carries its state from batch to batch, row by row; {}",
                    option, view.kind, view.path, instead);
}

Tensors run_one_by_one(const Tensors& inputs, const std::function<Tensors(const Tensors&)>& run) {
  constexpr std::string_view where = "predict";
  const auto batch = inputs.empty() || inputs[0].rank() == 0 ? 0 : inputs[0].shape()[0];
  for (const auto& x : inputs) {
    if (x.rank() > 0 && x.shape()[0] == batch) continue;
    fail<ShapeError>(where,
                     "an input is {}, the first {}; with batch_invariant all must have the batch "
                     "on axis 0",
                     x.describe(), inputs[0].describe());
  }
  if (batch <= 1) return run(inputs);
  std::vector<Tensors> parts;  // of each output
  for (std::int64_t i = 0; i < batch; ++i) {
    Tensors one;
    for (const auto& x : inputs) one.push_back(slice(x, 0, i, i + 1));
    const Tensors outputs = run(one);
    parts.resize(outputs.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      if (outputs[k].rank() == 0 || outputs[k].shape()[0] != 1) {
        fail<ShapeError>(where,
                         "output {} of one sequence is {}; with batch_invariant all must have the "
                         "batch on axis 0",
                         k, outputs[k].describe());
      }
      parts[k].push_back(outputs[k]);
    }
  }
  Tensors outputs;
  for (const auto& of_output : parts) outputs.push_back(concatenate(of_output, 0));
  return outputs;
}

}  // namespace detail

void extend::BuiltFor::note(const Tensors& inputs) {
  if (!Builder::current()) return;
  inputs_.clear();
  seed_ = Builder::current()->seed();
  for (const auto& x : inputs) inputs_.push_back(x.value());
}

Tensors extend::BuiltFor::metas(std::string_view where) const {
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

std::vector<Spec> extend::BuiltFor::specs(std::string_view where) const {
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
