#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <set>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_building {
namespace {

/// Stays inside a row, and counts how often its contract is asked for.
class Asked {
 public:
  static constexpr std::string_view kind = "Asked";
  MaskContract contract_now() const {
    ++times;
    return {.role = MaskRole::propagates, .why = "it gives what it takes"};
  }
  Tensor forward(const Tensor& x) const { return x; }

  static inline int times = 0;
  LayerInfo info{kind, ""};
};

TEST_CASE("a build asks each layer for its contract no more often than it has layers above") {
  AnyLayer nested = Asked{};
  for (int i = 0; i < 40; ++i) nested = Sequential(std::vector<AnyLayer>{nested});
  Asked::times = 0;
  build(nested, Spec::f32({any, 3}));
  CHECK(Asked::times <= 41);
  Asked::times = 0;
  CHECK(nested.contract().role == MaskRole::propagates);
  CHECK(Asked::times == 1);
}

TEST_CASE("deep and long models are built, copied, listed and named") {
  AnyLayer nested = Dense{{.units = 2}};
  for (int i = 0; i < 200; ++i) nested = Sequential(std::vector<AnyLayer>{nested});
  Sequential deep(std::vector<AnyLayer>{nested});
  deep.build(Spec::f32({any, 3}), Seed{1});
  CHECK(deep.clone().parameters().size() == 2);
  CHECK(deep.summary().find("8 parameters") != std::string::npos);

  Functional chain;
  auto x = chain.input();
  for (int i = 0; i < 500; ++i) x = chain.add(Dense{{.units = 2}}, {x});
  chain.outputs({x});
  chain.build({Spec::f32({any, 2})}, Seed{1});
  std::set<std::string> names;
  for (const auto& p : chain.parameters()) names.insert(p.name());
  CHECK(names.size() == 1000);
  CHECK(names.count("dense_499/bias") == 1);
  CHECK(chain.summary().find("shared") == std::string::npos);
}

using Values = std::vector<double>;

/// How a layer comes by layers of its own while it is built.
enum class Late { listed, list, unlisted, built };

/// Makes two layers when it sees its first input.
class Block {
 public:
  static constexpr std::string_view kind = "Block";
  static constexpr MaskContract contract{.role = MaskRole::propagates, .why = "of Dense layers"};
  explicit Block(Late late) : late_(late) {}

  void build(const Tensor& x, Builder& builder) {
    const auto features = x.shape().back();
    for (int i = 0; i < 2; ++i) children_.push_back(Dense{{.units = features}});
    drop_.emplace(DropoutOptions{.rate = 0.5});
    if (late_ != Late::built) return;
    for (auto& child : children_) maskgrad::build(child, Spec::f64(x.shape()), builder.seed());
  }
  Tensor forward(const Tensor& x) {
    return (*drop_)(children_[1].call({children_[0].call({x})[0]})[0]);
  }
  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    if (self.late_ == Late::unlisted || !self.drop_) return;
    int n = 0;
    for (auto& child : self.children_) {
      f(self.late_ == Late::list ? std::string("part") + std::to_string(n++) : child.info().name,
        child);
    }
    f("drop", *self.drop_);
  }
  std::vector<Values> kernels() {
    std::vector<Values> all;
    for (auto& child : children_) {
      all.push_back(parameters(child)[0].value().to_vector<double>());
    }
    return all;
  }
  std::size_t size() const { return children_.size(); }

  LayerInfo info{kind, ""};

 private:
  Late late_;
  std::vector<AnyLayer> children_;
  std::optional<Dropout> drop_;
};

TEST_CASE("layers made in a layer's build have paths, weights, noise and names of their own") {
  for (const auto late : {Late::listed, Late::list, Late::unlisted, Late::built}) {
    CAPTURE(static_cast<int>(late));
    Sequential model{Block{late}, Block{late}};
    model.build(Spec::f64({any, 3}), Seed{1});
    std::set<Values> kernels;
    for (int i = 0; i < 2; ++i) {
      for (const auto& k : model.layer(i).as<Block>()->kernels()) kernels.insert(k);
    }
    CHECK(kernels.size() == 4);
    Sequential again{Block{late}, Block{late}};
    again.build(Spec::f64({any, 3}), Seed{1});
    CHECK(again.layer(1).as<Block>()->kernels() == model.layer(1).as<Block>()->kernels());
    const Tensor x = ones({1, 3}, DType::f64);
    const Values drawn = model(x).to_vector<double>();
    const NoiseStep begin({});
    CHECK(again(x).to_vector<double>() == drawn);
    if (late == Late::unlisted) continue;
    std::set<std::string> names;
    for (const auto& p : named_parameters(model)) names.insert(p.name);
    CHECK(names.size() == 8);
    CHECK(names.count(late == Late::list ? "block_1/part1/bias" : "block_1/dense_1/bias") == 1);
    CHECK(model.summary().find("shared") == std::string::npos);
  }
}

TEST_CASE("each model that is built without a seed gets another, in order") {
  const auto first_weight = [](auto&&... seed) {
    Sequential model{Dense{{.units = 2}}, Dense{{.units = 2}}};
    model.build(Spec::f64({any, 3}), seed...);
    return model.parameters()[0].value().to_vector<double>();
  };
  set_default_seed();
  const Values a = first_weight(), b = first_weight(), c = first_weight(Seed{7});
  CHECK(a != b);
  CHECK(a == first_weight(Seed{}));
  CHECK(c == first_weight(Seed{7}));
  set_default_seed();
  CHECK(first_weight() == a);
  CHECK(first_weight() == b);
  set_default_seed(Seed{7});
  CHECK(first_weight() == c);
  set_default_seed();
}

/// Refuses a third feature when it is built.
class Picky : public Block {
 public:
  static constexpr std::string_view kind = "Picky";
  Picky() : Block(Late::listed) { info = LayerInfo(kind, ""); }
  void build(const Tensor& x, Builder& builder) {
    Block::build(x, builder);
    weight_ = builder.weight("weight", {x.shape().back()}, "ones");
    if (x.shape().back() == 3) fail<ShapeError>(kind, "three");
  }
  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("weight", self.weight_);
  }

 private:
  Parameter weight_;
};

TEST_CASE("a build that fails leaves a model as it was: weights, children, names, specification") {
  Sequential model{Block{Late::listed}, Picky{}};
  CHECK(throws<ShapeError>([&] { model.build(Spec::f64({any, 3}), Seed{1}); }, "three"));
  CHECK(!model.info.built);
  CHECK(model.layer(0).as<Block>()->size() == 0);
  CHECK(model.layer(1).as<Picky>()->size() == 0);
  CHECK(throws<StateError>([&] { model.parameters(); }, "build the model first"));
  CHECK(throws<StateError>([&] { model.built_for().specs("test"); }, "was not built yet"));
  model.build(Spec::f64({any, 4}), Seed{1});
  Sequential other{Block{Late::listed}, Picky{}};
  other.build(Spec::f64({any, 4}), Seed{1});
  CHECK(model.layer(1).as<Picky>()->kernels() == other.layer(1).as<Picky>()->kernels());

  const auto path = model.layer(0).info().path;
  Sequential outer(std::vector<AnyLayer>{model, Dense{{.units = 2}}}, "outer");
  CHECK(throws<ShapeError>([&] { model.build(Spec::f32({any, 4, 9}), Seed{3}); }, "must be 4"));
  CHECK(model.built_for().specs("test")[0].shape() == Shape{any, 4});
  CHECK(model.built_for().seed().value == 1);
  CHECK(model.layer(0).info().path == path);
  CHECK(model(ones({2, 4}, DType::f64)).shape() == Shape{2, 4});
  CHECK(throws<ShapeError>([&] { build(outer, Spec::f64({any, 5})); }, "must be 4"));
  CHECK(outer.layer(0).info().path == "sequential");
  CHECK(outer.layer(0).as<Sequential>()->layer(0).info().path == path);
}

TEST_CASE("a model that a failed build was tried on is saved and loaded as before") {
  Sequential model{GRU{{.units = 2}}, Dense{{.units = 1}}};
  model.build(Spec::f32({any, any, 3}), Seed{1});
  CHECK(throws<ShapeError>([&] { model.build(Spec::f32({any, any, 7})); }, "must be 3"));
  const auto path = std::filesystem::temp_directory_path() / "maskgrad_building.safetensors";
  save_model(model, path);
  CHECK(load_model(path).parameters().size() == 5);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace maskgrad::tests::test_building
