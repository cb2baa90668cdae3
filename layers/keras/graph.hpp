#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <maskgrad/core/shape.hpp>
#include <maskgrad/layers/keras/config.hpp>

/// A Keras model as its file has it, in one form for all versions and spellings.
namespace maskgrad::detail {

struct KerasModel;

struct KerasLayer {
  std::string class_name;  ///< as Keras 3 calls it; of a custom one, without what stands before `>`
  std::string name;
  Json config;
  bool operation = false;  ///< a function of Keras 3's ops, not a layer: it knows of no mask
  bool trainable = true;
  std::string shown_class = "";  ///< the class as the file has it, where it is another one
  std::shared_ptr<const KerasModel> model = nullptr;  ///< of a nested model
  /// Of TimeDistributed, Bidirectional and RNN the layer or cell inside; of Bidirectional its own
  /// backward layer too, where the file has one.
  std::vector<KerasLayer> inner = {};

  const std::string& shown() const { return shown_class.empty() ? class_name : shown_class; }
};

/// A tensor: a result of a call.
struct KerasValue {
  int call = -1;
  int result = 0;
};

struct KerasArgument {
  std::string keyword = "";  ///< empty: by position
  bool list = false;         ///< several tensors as one argument
  std::vector<KerasValue> values = {};
  Json constant = {};  ///< what it is where it is no tensor
};

/// A layer's call; that of an InputLayer has no arguments.
struct KerasCall {
  std::size_t layer = 0;
  std::vector<KerasArgument> arguments = {};
};

struct KerasInput {
  std::string name;
  std::optional<std::vector<std::int64_t>> shape;  ///< with the batch, mg::any where it is free
  std::string dtype;
};

struct KerasModel {
  std::string class_name, name;
  std::vector<KerasLayer> layers;  ///< in the file's order, inputs among them
  std::vector<KerasCall> calls;    ///< each behind those whose results it reads
  std::vector<KerasInput> inputs;  ///< calls 0, 1, ... are theirs
  std::vector<KerasValue> outputs;
  std::vector<std::string> output_names;  ///< `lstm`, and `lstm.1` for a further result
  bool sequential = false;
};

/// The model of {"class_name": .., "config": ..}. What cannot be read is told in `troubles`, in
/// whole sentences; then the model is not whole.
KerasModel read_keras_model(const Json& model, int major, std::vector<std::string>& troubles);
/// One layer's description, and those of the layers in it.
KerasLayer read_keras_layer(const Json& layer, int major, std::vector<std::string>& troubles,
                            int depth = 0);

/// Functions of TensorFlow in graphs of Keras 2 (TFOpLambda), as the same ones of Keras 3.
void take_tensorflow_operation(KerasLayer& layer);

/// What a Sequential's layers become; `depth` counts models in each other.
KerasModel read_keras_sequential(const Json& model, int major, std::vector<std::string>& troubles,
                                 int depth);
KerasModel read_keras_functional(const Json& model, int major, std::vector<std::string>& troubles,
                                 int depth);
KerasModel read_keras_model(const Json& model, int major, std::vector<std::string>& troubles,
                            int depth);
bool is_keras_model(std::string_view class_name);
/// The input that a layer's own options tell; none where they do not.
std::optional<KerasInput> input_of_layer(const Json& config, const std::string& class_name);

}  // namespace maskgrad::detail
