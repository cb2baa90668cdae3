#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include <maskgrad/layers/model/functional.hpp>

namespace maskgrad {

/// A layer of a Keras file whose class this library does not know, or a Lambda.
struct KerasCustom {
  std::string class_name, name;
  std::string config;  ///< its options, as JSON
};
/// Makes the layer that stands for it. Its weights come from the file, in their order there.
using KerasFactory = std::function<AnyLayer(const KerasCustom&)>;

struct KerasOptions {
  /// Computes on padding as Keras does, for comparison: tensors stay dense, each layer that reads
  /// the mask in Keras gets it as an input, and its results are filled as Keras fills them.
  bool as_keras = false;
  /// By the layer's name, or by its class.
  std::map<std::string, KerasFactory> custom = {};
};

/// A model that Keras saved, with its weights: `.keras`, or HDF5 (`.h5`), of Keras 1 to 3,
/// whichever the file's first bytes say. Layers keep their names. Masks are respected everywhere:
/// convolutions and pooling over time are MaskedConv1D and so on, which do the same without a
/// mask. Text (TextVectorization) is not read: such an input takes ids. Nothing in the file is run.
/// Throws:   FileError, which lists all that cannot be loaded, with ways out.
Functional load_keras(const std::filesystem::path& path, const KerasOptions& options = {});

}  // namespace maskgrad
