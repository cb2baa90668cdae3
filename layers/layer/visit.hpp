#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <maskgrad/core/null_function.hpp>
#include <maskgrad/layers/layer/described.hpp>

namespace maskgrad::detail {

class CarriedState;

/// A layer as it was, for a build that fails.
struct Remembered {
  virtual ~Remembered() = default;
  virtual void put_back() = 0;
};

/// What can be done with a layer of any type, as functions that know it. Plain pointers: they are
/// made for each type of layer, so they are what its users' compile time goes into.
struct LayerActions {
  bool answers_for_others = false;  ///< its contracts are those of the layers in it
  TimeContract (*time)(const void* layer) = nullptr;
  void (*write_options)(const void* layer, extend::OptionWriter&) = nullptr;
  void (*reset_state)(void* layer, const std::vector<std::int64_t>* samples) = nullptr;
  std::unique_ptr<Remembered> (*remember)(void* layer) = nullptr;
};

/// One layer as a walk over a model sees it, whatever its type.
struct LayerView {
  std::string path;
  std::string_view kind;      ///< empty for a class that is a model but no layer
  LayerInfo* info = nullptr;  ///< null likewise
  std::vector<std::pair<std::string, Parameter*>> parameters = {};  ///< its own, with their paths
  CarriedState* carried = nullptr;  ///< its state, of the library's own stateful layers

  void* layer = nullptr;
  const LayerActions* actions = nullptr;  ///< null where it is no layer

  bool is_layer() const { return actions != nullptr; }
  /// Of a layer.
  TimeContract time() const { return actions->time(layer); }
  void write_options(extend::OptionWriter& writer) const {
    if (actions) actions->write_options(layer, writer);
  }
  /// Where it carries a state from batch to batch: begins anew, these samples or (null) all.
  void reset_state(const std::vector<std::int64_t>* samples) const {
    if (actions && actions->reset_state) actions->reset_state(layer, samples);
  }
  /// The layer as it is now; null where it is none.
  std::unique_ptr<Remembered> remember() const {
    return actions ? actions->remember(layer) : nullptr;
  }
};
using LayerVisitor = std::function<void(LayerView)>;

/// `a/b`; `b` where a is empty.
inline std::string join_path(const std::string& a, std::string_view b) {
  return a.empty() ? std::string(b) : a + "/" + std::string(b);
}

/// The names of the layers inside one. Where a list gives layers that have no name of their own
/// under that of their kind, the second `dense` is `dense_1`; other names stay as the list has
/// them.
class ChildNames {
 public:
  template <class L>
  std::string next(std::string_view name, L& child) {
    const LayerInfo* info = nullptr;
    if constexpr (Layer<L>) {
      info = &child.info;
    } else if constexpr (requires { child.info().named; }) {
      info = &child.info();
    }
    return next(name, info && !info->named && info->name == name);
  }
  std::string next(std::string_view name, bool of_kind);

 private:
  std::set<std::string> taken_;
};

struct RememberedInfo : Remembered {
  explicit RememberedInfo(LayerInfo& now) : info(now), before(now) {}
  void put_back() override { info = before; }
  LayerInfo& info;
  LayerInfo before;
};

/// All of a layer: `build` may make weights, layers and the rest.
template <class L>
struct RememberedLayer final : Remembered {
  explicit RememberedLayer(L& now) : layer(now), before(now) {}
  void put_back() override { layer = std::move(before); }
  L& layer;
  L before;
};

/// A layer that notes its build (see BuiltFor).
template <class L>
struct RememberedNote final : RememberedInfo {
  explicit RememberedNote(L& now) : RememberedInfo(now.info), layer(now), note(now.built_for()) {}
  void put_back() override {
    RememberedInfo::put_back();
    layer.built_for() = note;
  }
  L& layer;
  std::remove_cvref_t<decltype(std::declval<L&>().built_for())> note;
};

/// A layer that cannot be copied: its parameters are taken away again.
template <class L>
struct RememberedEmpty final : RememberedInfo {
  explicit RememberedEmpty(L& now) : RememberedInfo(now.info), layer(now) {}
  void put_back() override {
    RememberedInfo::put_back();
    L::each_parameter(layer, [](auto&&, Parameter& p) { p = {}; });
  }
  L& layer;
};

template <class L>
Remembered* remembered(L& layer) {
  if constexpr (requires { layer.built_for() = layer.built_for(); }) {
    return new RememberedNote<L>(layer);
  } else if constexpr (Builds<L> && std::copyable<L>) {
    if (!layer.info.built) return new RememberedLayer<L>(layer);
  } else if constexpr (Builds<L> &&
                       requires { L::each_parameter(layer, [](auto&&, Parameter&) {}); }) {
    if (!layer.info.built) return new RememberedEmpty<L>(layer);
  }
  return new RememberedInfo(layer.info);
}

template <class L>
constexpr LayerActions actions_of() {
  LayerActions actions;
  actions.answers_for_others = AnswersForOthers<L>;
  actions.time = [](const void* layer) { return time_of(*static_cast<const L*>(layer)); };
  actions.write_options = [](const void* layer, extend::OptionWriter& writer) {
    write_options_of(*static_cast<const L*>(layer), writer);
  };
  actions.remember = [](void* layer) {
    return std::unique_ptr<Remembered>(remembered(*static_cast<L*>(layer)));
  };
  if constexpr (requires(L & layer) { layer.reset_state(); }) {
    actions.reset_state = [](void* layer, const std::vector<std::int64_t>* samples) {
      L& l = *static_cast<L*>(layer);
      samples ? l.reset_state(*samples) : l.reset_state();
    };
  }
  return actions;
}
template <class L>
inline constexpr LayerActions actions_for = actions_of<L>();

/// Calls `f` for `model` and for every layer inside it, the outer ones first. `path` is the model's
/// own, `inside` what the paths of the layers inside begin with.
template <class M>
void visit_layers(M& model, const std::string& path, const std::string& inside,
                  const LayerVisitor& f) {
  if constexpr (requires { model.visit(path, f); }) {  // a layer of erased type
    model.visit(path, f);
  } else {
    LayerView view{.path = path, .kind = {}};
    if constexpr (Layer<M>) {
      view.kind = M::kind;
      view.info = &model.info;
      view.layer = &model;
      view.actions = &actions_for<M>;
      if constexpr (requires { model.carried_state(); }) view.carried = model.carried_state();
    }
    if constexpr (requires { M::each_parameter(model, [](auto&&, Parameter&) {}); }) {
      M::each_parameter(model, [&](std::string_view name, Parameter& p) {
        view.parameters.emplace_back(join_path(path, name), &p);
      });
    }
    f(std::move(view));
    if constexpr (requires { M::each_layer(model, [](auto&&, auto&) {}); }) {
      ChildNames names;
      M::each_layer(model, [&](std::string_view name, auto& child) {
        const auto at = join_path(inside, names.next(name, child));
        visit_layers(child, at, at, f);
      });
    }
  }
}

/// The same for a whole model: its layers' paths begin with its name where the options gave one.
template <class M>
void visit_model(const M& model, const LayerVisitor& f) {
  require_function("visit_model", f);
  auto& m = const_cast<M&>(model);  // only `build`, which has the model itself, changes anything
  if constexpr (requires { m.info().name; }) {
    const LayerInfo& info = m.info();
    m.visit(info.name, info.named ? info.name : std::string(), f);
  } else if constexpr (Layer<M>) {
    visit_layers(m, m.info.name, m.info.named ? m.info.name : std::string(), f);
  } else {
    visit_layers(m, "", "", f);
  }
}

template <class L>
void place_inside(L& layer, const std::string& inside, Builder& builder) {
  const LayerVisitor place = [&](const LayerView& view) { builder.place(view.info, view.path); };
  ChildNames names;
  L::each_layer(layer, [&](std::string_view name, auto& child) {
    const auto at = join_path(inside, names.next(name, child));
    visit_layers(child, at, at, place);
  });
}

}  // namespace maskgrad::detail
