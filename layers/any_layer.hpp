#pragma once

#include <memory>

#include <maskgrad/layers/visit.hpp>

namespace maskgrad {

/// A layer of any type, as containers hold it. Copies copy the layer, which shares its weights.
class AnyLayer {
 public:
  template <Layer L>
  requires(!std::same_as<L, AnyLayer>) AnyLayer(L layer)
      : held_(std::make_unique<Held<L>>(std::move(layer))) {}
  AnyLayer(const AnyLayer& other) : held_(other.held_->copy()) {}
  AnyLayer(AnyLayer&&) = default;
  AnyLayer& operator=(AnyLayer other) {
    held_ = std::move(other.held_);
    return *this;
  }

  Tensors call(const Tensors& inputs) { return held_->call(inputs); }
  std::string_view kind() const { return held_->kind(); }
  MaskContract contract() const { return held_->contract(); }
  LayerInfo& info() { return held_->info(); }
  /// Of a recurrent cell the sizes of its states; empty for other layers.
  std::vector<std::int64_t> state_sizes() const { return held_->state_sizes(); }
  void visit(const std::string& path, const LayerVisitor& f) { held_->visit(path, path, f); }
  /// See visit_layers.
  void visit(const std::string& path, const std::string& inside, const LayerVisitor& f) {
    held_->visit(path, inside, f);
  }
  void write_options(OptionWriter& writer) const { held_->write_options(writer); }
  /// The layer itself, null where it is of another type.
  template <Layer L>
  L* as() {
    auto* held = dynamic_cast<Held<L>*>(held_.get());
    return held ? &held->layer : nullptr;
  }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual std::unique_ptr<Base> copy() const = 0;
    virtual Tensors call(const Tensors& inputs) = 0;
    virtual std::string_view kind() const = 0;
    virtual MaskContract contract() const = 0;
    virtual LayerInfo& info() = 0;
    virtual std::vector<std::int64_t> state_sizes() const = 0;
    virtual void visit(const std::string& path, const std::string& inside,
                       const LayerVisitor& f) = 0;
    virtual void write_options(OptionWriter& writer) const = 0;
  };
  template <class L>
  struct Held final : Base {
    explicit Held(L l) : layer(std::move(l)) {}
    std::unique_ptr<Base> copy() const override { return std::make_unique<Held>(layer); }
    Tensors call(const Tensors& inputs) override { return maskgrad::call(layer, inputs); }
    std::string_view kind() const override { return L::kind; }
    MaskContract contract() const override { return contract_of(layer); }
    LayerInfo& info() override { return layer.info; }
    std::vector<std::int64_t> state_sizes() const override {
      if constexpr (requires { layer.state_sizes(); }) return layer.state_sizes();
      return {};
    }
    void visit(const std::string& path, const std::string& inside, const LayerVisitor& f) override {
      visit_layers(layer, path, inside, f);
    }
    void write_options(OptionWriter& writer) const override {
      detail::write_options_of(layer, writer);
    }
    L layer;
  };

  std::unique_ptr<Base> held_;
};

}  // namespace maskgrad
