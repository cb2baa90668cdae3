#pragma once

#include <string_view>

#include <maskgrad/layers/layer/any_layer.hpp>

namespace maskgrad {

/// A layer from its name and a JSON object of its options, both in Keras's spelling; layers of
/// one's own too, once they are registered.
/// Throws:   OptionError, with the nearest, for an unknown name or option; for an option of another
///           type, a missing one, or a value that the layer refuses.
/// Example:  mg::make_layer("GRU", R"({"units": 64, "return_sequences": true})")
AnyLayer make_layer(std::string_view kind, std::string_view options = "{}");

}  // namespace maskgrad
