#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <maskgrad/layers/model/time.hpp>
#include <maskgrad/layers/model/weights_file.hpp>
#include <maskgrad/optim/data/batch.hpp>

namespace maskgrad {

namespace detail {

/// A model of any type as the training loop sees it: a reference, to be used while the model lives.
class ModelRef {
 public:
  /// A const model can be evaluated, and not trained.
  template <class M>
  requires(!std::same_as<std::remove_const_t<M>, ModelRef> && std::is_class_v<M>) ModelRef(M& model)
      : time_([&model] {
          if constexpr (Model<std::remove_const_t<M>>) return time_contract(model);
          return TimeContract();
        }),
        visit_([&model](const LayerVisitor& f) {
          if constexpr (require_model<std::remove_const_t<M>>()) visit_model(model, f);
        }) {
    if constexpr (std::is_const_v<M> && Model<std::remove_const_t<M>>) {
      run_ = [&model](const Tensors& inputs) { return run_const(model, inputs); };
    } else if constexpr (Model<M>) {
      run_ = [&model](const Tensors& inputs) { return run_model(model, inputs); };
    }
    if constexpr (requires { model.built_for().seed(); }) {
      seed_ = model.built_for().seed();
      built_for_ = [&model] { return model.built_for().metas("mask_flow"); };
    }
  }

  /// All outputs. Recorded, unless under Evaluate or NoGrad.
  Tensors operator()(const Tensors& inputs) const { return run_(inputs); }
  void visit(const LayerVisitor& f) const { visit_(f); }
  /// What it does with steps that are not there yet.
  TimeContract time() const { return time_(); }
  /// StateError before it is built.
  std::vector<NamedParameter> named_parameters() const;
  /// The same without names, looked up once: a model keeps the parameters that it was built with.
  const std::vector<Parameter>& parameters() const;
  /// Lets stateful layers begin anew in the rows of the batch at which a sequence begins.
  void begin(const Batch& batch) const;
  void reset_states() const;
  /// What `describe` gives; empty where it, or a layer inside, lists no options.
  std::string description() const;
  /// What it does with masks, for the inputs that it was built with; where it does not know them,
  /// for meta tensors such as these.
  Flow mask_flow(const Tensors& like) const;
  /// The seed that it was built with, where the model knows it.
  std::optional<Seed> seed() const { return seed_; }

 private:
  std::function<Tensors(const Tensors&)> run_;
  std::function<TimeContract()> time_;
  std::function<void(const LayerVisitor&)> visit_;
  std::optional<Seed> seed_;
  std::function<Tensors()> built_for_;
  mutable std::vector<Parameter> parameters_;
};

}  // namespace detail
}  // namespace maskgrad
