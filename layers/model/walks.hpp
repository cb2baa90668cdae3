#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/layers/layer/visit.hpp>

/// What a walk over the layers of a model gathers, copies or puts back.
namespace maskgrad::detail {

/// A build that fails puts back all layers as they were.
class Undo {
 public:
  Undo() = default;
  ~Undo();
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  void remember(const LayerView& view);
  void keep() { undo_.clear(); }

 private:
  std::vector<std::unique_ptr<Remembered>> undo_;
};

/// The parameters of a model, each once.
class ParameterList {
 public:
  /// Adds those of a layer, StateError where it was not built.
  void add(const LayerView& view);
  std::vector<Parameter> take() { return std::move(all_); }

 private:
  std::vector<Parameter> all_;
  FirstTime first_;
};
/// StateError where the layer has parameters and was not built.
void check_built(const LayerView& view);
/// Replaces each parameter by another with the same values; what was shared stays shared.
class Cloner {
 public:
  explicit Cloner(DType dtype, bool keep_dtype) : dtype_(dtype), keep_(keep_dtype) {}
  void operator()(const LayerView& view);

 private:
  DType dtype_;
  bool keep_;
  std::unordered_map<const void*, Parameter> made_;  ///< by what tells the original's values apart
  std::vector<Parameter> originals_;                 ///< which thus live as long
};
/// Gives the layers of a model and their parameters a noise of their own, which begins there.
class NewNoise {
 public:
  void operator()(const LayerView& view) const;

 private:
  Ref<NoiseState> noise_ = make_ref<NoiseState>();
};
/// Where a model that is built stands in the build that runs already, as a layer's `build` builds
/// the layer's own: inside that layer. Else it stands by itself.
struct BuildPlace {
  explicit BuildPlace(LayerInfo* info);
  bool inside = false;
  std::string path;
};
template <class M>
void visit_placed(M& model, const BuildPlace& place, const LayerVisitor& f) {
  if (!place.inside) return visit_model(model, f);
  if constexpr (requires { model.visit(place.path, f); }) {
    model.visit(place.path, f);
  } else {
    visit_layers(model, place.path, place.path, f);
  }
}

}  // namespace maskgrad::detail
