#pragma once

#include <optional>
#include <string>
#include <vector>

#include <maskgrad/core/io/hdf5/hdf5_write.hpp>
#include <maskgrad/core/io/json.hpp>
#include <maskgrad/layers/layer/any_layer.hpp>
#include <maskgrad/layers/model/functional.hpp>

namespace maskgrad::detail {

/// How a Functional is put together.
struct FunctionalParts {
  static const std::vector<std::string>& inputs(const Functional& f) { return f.inputs_; }
  static const auto& calls(const Functional& f) { return f.calls_; }
  static const std::vector<Functional::Node>& outputs(const Functional& f) { return f.outputs_; }
};

/// A layer as Keras has it: its class, its own options, and its arguments that are options here.
struct KerasItem {
  std::string class_name;
  Json config = Json::object();
  Json kwargs = Json::object();

  /// As it stands in a list of layers.
  Json item() const;
};

/// Writes layers in Keras's form, and their weights into groups.
class KerasWriter {
 public:
  explicit KerasWriter(std::vector<std::string>& troubles) : troubles_(troubles) {}

  /// The layer under that name, its weights in `group`; `inputs` are meta tensors like those of
  /// its first call.
  KerasItem layer(AnyLayer& layer, const std::string& name, const Tensors& inputs,
                  Hdf5Group& group);
  KerasItem functional(const Functional& model, const std::string& name, const Tensors& inputs,
                       Hdf5Group& group);
  KerasItem sequential(std::vector<AnyLayer> layers, const std::string& name, const Tensors& inputs,
                       Hdf5Group& group);

 private:
  KerasItem by_options(AnyLayer& layer, const std::string& name, const Json& options, DType dtype);
  void check_rest(const KerasItem& item, const std::string& name, const Json& options);
  void weights(AnyLayer& layer, Hdf5Group& group, const std::string& name);
  KerasItem wrapping(AnyLayer& layer, const std::string& name, const Tensors& inputs,
                     Hdf5Group& group, const Json& options);
  void trouble(std::string_view kind, const std::string& name, std::string_view text);

  std::vector<std::string>& troubles_;
};

/// {"name", "trainable", "dtype"} of a layer.
Json keras_base(const std::string& name, DType dtype, bool trainable = true);
Json keras_input_item(const std::string& name, const Tensor& meta);
/// A shape with null for what is free.
Json keras_shape(const Shape& shape);
std::string keras_dtype(DType dtype);

/// `dense`, `dense_1`: the groups of layers of a class, in order.
class KerasCounts {
 public:
  std::string next(const std::string& base);

 private:
  std::map<std::string, int> counts_;
};

}  // namespace maskgrad::detail
