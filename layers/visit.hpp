#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

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
};
using LayerVisitor = std::function<void(LayerView)>;

/// `a/b`; `b` where a is empty.
inline std::string join_path(const std::string& a, std::string_view b) {
  return a.empty() ? std::string(b) : a + "/" + std::string(b);
}

/// Calls `f` for `model` and for every layer inside it, the outer ones first. `path` is the model's
/// own, `inside` what the paths of the layers inside begin with.
template <class M>
void visit_layers(M& model, const std::string& path, const std::string& inside,
                  const LayerVisitor& f) {
  if constexpr (requires { model.visit(path, f); }) {  // a layer of erased type
    model.visit(path, f);
  } else {
    LayerView view{path, {}, nullptr, {}, {}, {}, nullptr};
    if constexpr (Layer<M>) {
      view.kind = M::kind;
      view.info = &model.info;
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
      M::each_layer(model, [&](std::string_view name, auto& child) {
        const auto at = join_path(inside, name);
        visit_layers(child, at, at, f);
      });
    }
  }
}

/// The same for a whole model: its layers' paths begin with its name where the options gave one.
template <class M>
void visit_model(const M& model, const LayerVisitor& f) {
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

}  // namespace maskgrad
