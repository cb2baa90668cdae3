#pragma once

#include <concepts>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <maskgrad/core/null_function.hpp>
#include <maskgrad/layers/described.hpp>

namespace maskgrad {

class CarriedState;

/// One layer as a walk over a model sees it, whatever its type.
struct LayerView {
  std::string path;
  std::string_view kind;      ///< empty for a class that is a model but no layer
  LayerInfo* info = nullptr;  ///< null likewise
  std::vector<std::pair<std::string, Parameter*>> parameters;  ///< its own, with their paths
  std::function<void(OptionWriter&)> write_options;            ///< empty where it is no layer
  /// Where it carries a state from batch to batch: begins anew, these samples or (null) all.
  std::function<void(const std::vector<std::int64_t>*)> reset_state;
  CarriedState* carried = nullptr;  ///< that state, of the library's own stateful layers
  /// Gives what puts the layer back as it is now, for a build that fails.
  std::function<std::function<void()>()> remember;
};
using LayerVisitor = std::function<void(LayerView)>;

/// `a/b`; `b` where a is empty.
inline std::string join_path(const std::string& a, std::string_view b) {
  return a.empty() ? std::string(b) : a + "/" + std::string(b);
}

namespace detail {

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

template <class L>
std::function<void()> remembered(L& layer) {
  if constexpr (Builds<L> && std::copyable<L>) {  // it may have made weights, layers and the rest
    if (!layer.info.built) return [&layer, before = layer] { layer = before; };
  }
  if constexpr (requires { layer.built_for() = layer.built_for(); }) {
    return [&layer, info = layer.info, noted = layer.built_for()] {
      layer.info = info;
      layer.built_for() = noted;
    };
  } else {
    return [&layer, info = layer.info] {
      layer.info = info;
      if constexpr (Builds<L> &&
                    requires { L::each_parameter(layer, [](auto&&, Parameter&) {}); }) {
        if (!info.built) L::each_parameter(layer, [](auto&&, Parameter& p) { p = {}; });
      }
    };
  }
}

}  // namespace detail

/// Calls `f` for `model` and for every layer inside it, the outer ones first. `path` is the model's
/// own, `inside` what the paths of the layers inside begin with.
template <class M>
void visit_layers(M& model, const std::string& path, const std::string& inside,
                  const LayerVisitor& f) {
  if constexpr (requires { model.visit(path, f); }) {  // a layer of erased type
    model.visit(path, f);
  } else {
    LayerView view{path, {}, nullptr, {}, {}, {}, nullptr, {}};
    if constexpr (Layer<M>) {
      view.kind = M::kind;
      view.info = &model.info;
      view.remember = [&model] { return detail::remembered(model); };
      if constexpr (requires { model.reset_state(); }) {
        view.reset_state = [&model](const std::vector<std::int64_t>* samples) {
          samples ? model.reset_state(*samples) : model.reset_state();
        };
      }
      if constexpr (requires { model.carried_state(); }) view.carried = model.carried_state();
      view.write_options = [&model](OptionWriter& w) { detail::write_options_of(model, w); };
    }
    if constexpr (requires { M::each_parameter(model, [](auto&&, Parameter&) {}); }) {
      M::each_parameter(model, [&](std::string_view name, Parameter& p) {
        view.parameters.emplace_back(join_path(path, name), &p);
      });
    }
    f(std::move(view));
    if constexpr (requires { M::each_layer(model, [](auto&&, auto&) {}); }) {
      detail::ChildNames names;
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
  detail::require_function("visit_model", f);
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
void detail::place_inside(L& layer, const std::string& inside, Builder& builder) {
  const LayerVisitor place = [&](const LayerView& view) { builder.place(view.info, view.path); };
  ChildNames names;
  L::each_layer(layer, [&](std::string_view name, auto& child) {
    const auto at = join_path(inside, names.next(name, child));
    visit_layers(child, at, at, place);
  });
}

}  // namespace maskgrad
