#pragma once

#include <optional>

#include <maskgrad/layers/keras/flat.hpp>
#include <maskgrad/layers/keras/load.hpp>
#include <maskgrad/layers/keras/weights.hpp>

namespace maskgrad::detail {

/// What layers are made with, and what could not be.
struct KerasMaking {
  const KerasOptions& options;
  const KerasWeights& weights;
  int major = 3;
  std::vector<std::string>& troubles;
  /// Lets masks that hide nothing into layers that refuse masks.
  bool guard = false;
  double padding = 0;  ///< what stands where a mask is false, of a model as Keras computes it
};

/// The factory that the user gave for the layer; null where there is none.
const KerasFactory* told_of(const KerasLayer& layer, const KerasOptions& options);

/// The layer that computes the same, under its name; none where there is none, which is told in
/// `troubles`. (Not for models and operations.)
std::optional<AnyLayer> make_keras_layer(const KerasLayer& layer, KerasMaking& making);
/// Normalization, Rescaling and ThresholdedReLU; none for other classes, and without their numbers.
std::optional<AnyLayer> make_keras_scaling(const KerasLayer& layer, KerasMaking& making);
/// The same for a function of Keras 3's ops; `tensors` is how many of its arguments are tensors.
std::optional<AnyLayer> make_keras_operation(const KerasStep& step, KerasMaking& making);

/// A whole model as a layer. In assemble.cpp.
std::optional<AnyLayer> make_keras_model(const KerasLayer& layer, KerasMaking& making);

/// A layer's name as it may stand in a path.
std::string keras_path_name(std::string name);
/// The layer under a name of its own.
AnyLayer under_name(AnyLayer layer, const std::string& name);

}  // namespace maskgrad::detail
