#pragma once

#include <memory>

#include <maskgrad/layers/layer/visit.hpp>

namespace maskgrad {

class AnyLayer;

namespace detail {
/// TypeError that says what the layer is, and what is inside it.
[[noreturn]] void refuse_type(AnyLayer& layer, std::string_view asked);

/// What a model of erased type was built with.
struct BuiltWith {
  std::vector<Spec> inputs;
  Seed seed;
};
}  // namespace detail

/// A layer of any type, as containers hold it. Copies copy the layer, which shares its weights.
class AnyLayer {
 public:
  template <Layer L>
  requires(!std::same_as<L, AnyLayer>) AnyLayer(L layer) : held_(new Held<L>(std::move(layer))) {}
  /// No layer: it lacks what the compiler's error says.
  template <class L, class Lacks = detail::Lack<L>>
  requires(!std::same_as<L, AnyLayer> && detail::LayerLike<L> && !Layer<L>) AnyLayer(L)
  = delete;
  AnyLayer(const AnyLayer& other) : held_(other.held_->copy()), built_with_(other.built_with_) {}
  AnyLayer(AnyLayer&&) = default;
  AnyLayer& operator=(AnyLayer other) {
    held_ = std::move(other.held_);
    built_with_ = std::move(other.built_with_);
    return *this;
  }

  Tensors call(const Tensors& inputs) { return held_->call(inputs); }
  /// Under Evaluate alone; StateError otherwise.
  Tensors call(const Tensors& inputs) const {
    detail::check_predicting(kind());
    return held_->call(inputs);
  }
  std::string_view kind() const { return held_->kind(); }
  MaskContract contract() const { return held_->contract(); }
  TimeContract time() const { return held_->time(0); }
  /// Where the last `contexts` inputs are a stream's context.
  TimeContract time_over(std::int64_t contexts) const { return held_->time(contexts); }
  LayerInfo& info() { return held_->info(); }
  /// Of a recurrent cell the sizes of its states; empty for other layers.
  std::vector<std::int64_t> state_sizes() const { return held_->state_sizes(); }
  /// Whether a recurrent cell has a way of its own over whole sequences, and its results: all
  /// outputs, then the last states. (See layers/recurrent/cells.hpp.)
  bool runs_whole() const { return held_->runs_whole(); }
  Tensors run_whole(const Tensor& x, const Tensors& states, bool backwards) {
    return held_->run_whole(x, states, backwards);
  }
  void visit(const std::string& path, const detail::LayerVisitor& f) {
    held_->visit(path, path, f);
  }
  /// See visit_layers.
  void visit(const std::string& path, const std::string& inside, const detail::LayerVisitor& f) {
    held_->visit(path, inside, f);
  }
  void write_options(extend::OptionWriter& writer) const { held_->write_options(writer); }
  /// Null where it was neither built as a whole, by `build`, nor loaded.
  const detail::BuiltWith* built_with() const { return built_with_.get(); }
  void set_built_with(detail::BuiltWith with) {
    built_with_ = std::make_shared<const detail::BuiltWith>(std::move(with));
  }
  /// The layer itself. TypeError, which says what it is, where it is of another type.
  template <Layer L>
  L* as() {
    if (L* layer = as_if<L>()) return layer;
    detail::refuse_type(*this, L::kind);
  }
  template <Layer L>
  const L* as() const {
    return const_cast<AnyLayer*>(this)->as<L>();
  }
  /// The same, null where it is of another type.
  template <Layer L>
  L* as_if() {
    auto* held = dynamic_cast<Held<L>*>(held_.get());
    return held ? &held->layer : nullptr;
  }
  template <Layer L>
  bool is() const {
    return dynamic_cast<const Held<L>*>(held_.get()) != nullptr;
  }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual std::unique_ptr<Base> copy() const = 0;
    virtual Tensors call(const Tensors& inputs) = 0;
    virtual std::string_view kind() const = 0;
    virtual MaskContract contract() const = 0;
    virtual TimeContract time(std::int64_t contexts) const = 0;
    virtual LayerInfo& info() = 0;
    virtual std::vector<std::int64_t> state_sizes() const = 0;
    virtual bool runs_whole() const = 0;
    virtual Tensors run_whole(const Tensor& x, const Tensors& states, bool backwards) = 0;
    virtual void visit(const std::string& path, const std::string& inside,
                       const detail::LayerVisitor& f) = 0;
    virtual void write_options(extend::OptionWriter& writer) const = 0;
  };
  template <class L>
  struct Held final : Base {
    explicit Held(L l) : layer(std::move(l)) {}
    std::unique_ptr<Base> copy() const override { return std::unique_ptr<Base>(new Held(layer)); }
    Tensors call(const Tensors& inputs) override { return maskgrad::call(layer, inputs); }
    std::string_view kind() const override { return L::kind; }
    MaskContract contract() const override { return contract_of(layer); }
    TimeContract time(std::int64_t contexts) const override {
      return detail::time_over(layer, contexts);
    }
    LayerInfo& info() override { return layer.info; }
    std::vector<std::int64_t> state_sizes() const override {
      if constexpr (requires { layer.state_sizes(); }) return layer.state_sizes();
      return {};
    }
    bool runs_whole() const override {
      if constexpr (requires { layer.runs_whole(); }) return layer.runs_whole();
      return false;
    }
    Tensors run_whole(const Tensor& x, const Tensors& states, bool backwards) override {
      if constexpr (requires { layer.run_whole(x, states, backwards); }) {
        const extend::LayerScope scope(L::kind, layer.info.path);
        return layer.run_whole(x, states, backwards);
      }
      return {};
    }
    void visit(const std::string& path, const std::string& inside,
               const detail::LayerVisitor& f) override {
      detail::visit_layers(layer, path, inside, f);
    }
    void write_options(extend::OptionWriter& writer) const override {
      detail::write_options_of(layer, writer);
    }
    L layer;
  };

  std::unique_ptr<Base> held_;
  std::shared_ptr<const detail::BuiltWith> built_with_;
};

}  // namespace maskgrad
