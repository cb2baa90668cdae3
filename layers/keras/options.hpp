#pragma once

#include <optional>

#include <maskgrad/layers/keras/graph.hpp>
#include <maskgrad/layers/keras/make.hpp>

namespace maskgrad::detail {

/// A layer of this library: its kind, and its options as JSON.
struct OwnLayer {
  std::string kind;
  Json options;

  Json description() const { return {{"class_name", kind}, {"config", options}}; }
};

/// What computes the same as a layer without others in it; none where nothing does. An activation
/// that is a layer is left out of it and given apart.
std::optional<OwnLayer> own_layer_of(const KerasLayer& layer, const KerasMaking& making,
                                     std::optional<OwnLayer>& activation);
/// The name of an activation here; a layer in `made` where it is one.
std::string own_activation(const Json& config, const char* key, int major,
                           std::optional<OwnLayer>& made);

}  // namespace maskgrad::detail
