#pragma once

#include <functional>
#include <string>
#include <vector>

#include <maskgrad/layers/model/flow.hpp>
#include <maskgrad/layers/model/model_concept.hpp>
#include <maskgrad/layers/model/walks.hpp>

namespace maskgrad {

namespace detail {
Tensors metas_of(const std::vector<Spec>& specs);
/// OptionError where a layer carries its state from batch to batch, row by row: `option`, which
/// takes sequences by themselves, cannot go with it; `instead` is what to do.
void refuse_carried(const LayerView& view, std::string_view where, std::string_view option,
                    std::string_view instead);
/// The outputs of `run` for each sequence of the inputs alone, one behind the other on axis 0.
Tensors run_one_by_one(const Tensors& inputs, const std::function<Tensors(const Tensors&)>& run);

}  // namespace detail

/// Makes the weights of a model from the specification of its input, and checks shapes and masks
/// through all of it, before there is any data. Layers that have weights already keep them. The
/// weights depend on `seed` and their paths, so two models built with one seed are equal; without
/// one each model gets another (set_default_seed). Its noise and the thread's begin anew
/// (autograd/noise.hpp). Gives the outputs as meta tensors.
/// Throws:   what the layers throw, with their paths; the model is then as it was.
/// Example:  mg::GRU gru{{.units = 8}};
///           mg::build(gru, mg::Spec::f32({mg::any, mg::any, 3}).masked(2), mg::Seed{1});
///           gru(x);  // [4, 8]
template <class M>
Tensors build(M& model, const std::vector<Spec>& specs, Seed seed = detail::next_default_seed()) {
  if constexpr (detail::require_model<M>()) {
    const bool real = !specs.empty() && is_real(specs[0].dtype());
    detail::Undo undo;
    const detail::BuildPlace place(detail::info_of(model));
    Builder builder(seed, real ? specs[0].dtype() : DType::f32, detail::info_of(model));
    detail::visit_placed(model, place, [&](const detail::LayerView& view) {
      undo.remember(view);
      builder.place(view.info, view.path);
    });
    const NoGrad no_grad;
    Tensors outputs = detail::run_model(model, detail::metas_of(specs));
    if (!place.inside) detail::visit_model(model, detail::NewNoise());
    undo.keep();
    builder.done();
    if constexpr (std::same_as<M, AnyLayer>) model.set_built_with({specs, seed});
    return outputs;
  } else {
    return {};
  }
}
template <class M>
Tensors build(M& model, const Spec& spec, Seed seed = detail::next_default_seed()) {
  return build(model, std::vector<Spec>{spec}, seed);
}

/// Every parameter of a model, each once, trainable or not. StateError before it is built.
/// Example:  for (const auto& p : mg::parameters(model)) fmt::print("{}\n", p.name());
template <class M>
std::vector<Parameter> parameters(const M& model) {
  detail::ParameterList all;
  if constexpr (detail::require_model<M>()) {
    detail::visit_model(model, [&](const detail::LayerView& view) { all.add(view); });
  }
  return all.take();
}

/// A model of its own with the same weights, in another type where one is given. (A copy shares
/// its weights and its noise with the original.)
/// Example:  mg::Sequential other = mg::clone(model), wide = mg::clone(model, mg::DType::f64);
template <Model M>
M clone(const M& model) {
  M copy = model;
  detail::Cloner cloner(DType::f32, true);
  detail::visit_model(copy, [&](const detail::LayerView& view) { cloner(view); });
  detail::visit_model(copy, detail::NewNoise());
  return copy;
}
template <Model M>
M clone(const M& model, DType dtype) {
  M copy = model;
  detail::Cloner cloner(dtype, false);
  detail::visit_model(copy, [&](const detail::LayerView& view) { cloner(view); });
  detail::visit_model(copy, detail::NewNoise());
  return copy;
}

/// Whether its weights are trained: `set_trainable(model.encoder, false)` freezes a layer or model.
/// States of layers (moving averages) are none. StateError before it is built.
/// Example:  mg::set_trainable(model.layer<mg::GRU>(), false);
template <class M>
void set_trainable(const M& model, bool trainable) {
  for (const auto& p : parameters(model)) {
    if (!p.is_state()) p.set_trainable(trainable);
  }
}

/// Lets the stateful recurrent layers of a model begin anew, or these samples of the batch.
/// IndexError for a sample that is not in the batch.
/// Example:  mg::Sequential carries{mg::GRU{{.units = 8, .stateful = true}}};
///           carries.build(spec);
///           carries(x);
///           mg::reset_states(carries);
template <Model M>
void reset_states(M& model) {
  detail::visit_model(model, [](const detail::LayerView& view) { view.reset_state(nullptr); });
}
template <Model M>
void reset_states(M& model, const std::vector<std::int64_t>& samples) {
  detail::visit_model(model, [&](const detail::LayerView& view) { view.reset_state(&samples); });
}

struct PredictOptions {
  /// Runs each sequence of the batch by itself, so that its outputs are bit by bit the same alone
  /// and in any batch; in one run they are the same to rounding. Slower: nothing is shared.
  bool batch_invariant = false;
};

namespace detail {
/// A const model under Evaluate, which changes nothing in it. StateError in training, OptionError
/// where a layer carries its state on.
template <class M>
Tensors run_const(const M& model, const Tensors& inputs) {
  check_predicting("a model");
  visit_model(model, [](const LayerView& view) {
    refuse_carried(view, "predict", "the model is const", "call it where it is not const");
  });
  return run_model(const_cast<M&>(model), inputs);
}
}  // namespace detail

/// All outputs under Evaluate: no tape, no dropout, moving statistics used and not changed. With
/// batch_invariant, inputs and outputs have the batch on axis 0. There and in a const model no
/// layer is stateful. ShapeError or OptionError otherwise.
template <class M>
requires Model<std::remove_const_t<M>> Tensors predict(M& model, const Tensors& inputs,
                                                       const PredictOptions& options = {}) {
  const Evaluate evaluate;
  const auto run = [&model](const Tensors& xs) {
    if constexpr (std::is_const_v<M>) {
      return detail::run_const(model, xs);
    } else {
      return detail::run_model(model, xs);
    }
  };
  if (!options.batch_invariant) return run(inputs);
  detail::visit_model(model, [](const detail::LayerView& view) {
    detail::refuse_carried(view, "predict", "batch_invariant is true", "leave it out");
  });
  return detail::run_one_by_one(inputs, run);
}
/// The output of a model of one input.
template <class M>
requires Model<std::remove_const_t<M>> Tensor predict(M& model, const Tensor& x,
                                                      const PredictOptions& options = {}) {
  return predict(model, Tensors{x}, options).front();
}

namespace detail {
/// The flow through a built model, from meta tensors.
template <class M>
Flow flow_of(M& model, const Tensors& inputs) {
  const NoGrad no_grad;
  const detail::Trace trace;
  Tensors outputs = run_model(model, inputs);
  return Flow(trace.steps(), inputs, std::move(outputs));
}
template <class M>
std::string summary_of(M& model, const Tensors& inputs) {
  parameters(model);  // says so where it was not built
  std::vector<LayerView> layers;
  visit_model(model, [&](LayerView view) { layers.push_back(std::move(view)); });
  return flow_of(model, inputs).summary(layers);
}
}  // namespace detail

/// What a built model does with masks, by running it on specifications of its inputs: `.table()`
/// has a line for each call of a layer, `.dot()` draws it for Graphviz.
/// Example:  mg::mask_flow(model, {mg::Spec::f32({mg::any, mg::any, 3}).masked(2)}).table();
template <Model M>
Flow mask_flow(M& model, const std::vector<Spec>& specs) {
  return detail::flow_of(model, detail::metas_of(specs));
}
/// Its layers with what they give, their masks and their parameters, as text.
/// Example:  mg::summary(model, {mg::Spec::f32({mg::any, mg::any, 3}).masked(2)});
template <Model M>
std::string summary(M& model, const std::vector<Spec>& specs) {
  return detail::summary_of(model, detail::metas_of(specs));
}

namespace extend {

/// The inputs that a model was built with, for its own mask_flow and summary.
class BuiltFor {
 public:
  /// To be called by forward; notes the inputs where a model is being built.
  void note(const Tensors& inputs);
  /// Meta tensors like them. StateError before that, from `where`.
  Tensors metas(std::string_view where) const;
  /// The same as specifications, and the seed that the weights were drawn by.
  std::vector<Spec> specs(std::string_view where) const;
  Seed seed() const { return seed_; }

 private:
  Tensors inputs_;
  Seed seed_;
};

}  // namespace extend
}  // namespace maskgrad
