#pragma once

#include <memory>
#include <string>
#include <vector>

#include <maskgrad/layers/layer/any_layer.hpp>
#include <maskgrad/layers/onnx/builder.hpp>
#include <maskgrad/layers/onnx/save.hpp>

namespace maskgrad::onnx {

/// The mask of values on their way into a file: true where a step is valid, or, where the valid
/// steps of each sequence come first, how many they are.
struct MaskNames {
  int rank = 0;
  std::string lengths = {};   ///< i64 [batch] of a mask over steps that come first; else empty
  std::string valid = {};     ///< bool; empty until it is needed
  std::string steps_of = {};  ///< a value under it, which tells how many steps there are
  std::string sizes = {};     ///< i64 [batch], the valid steps of any mask over steps
  std::string order = {};     ///< i64 [batch, time, 1]: the places of the valid steps, then others
  std::string ranks = {};     ///< i64 [batch, time, 1]: the rank of each step among the valid ones
  std::shared_ptr<MaskNames> packed = {};  ///< of the steps in that order
};
using MaskRef = std::shared_ptr<MaskNames>;

/// A value of the graph: its name, its shape and type as the layers tell them, its mask.
struct Value {
  std::string name;
  Tensor meta;
  MaskRef mask = {};
  bool clean = false;  ///< 0 where it is not valid

  int rank() const { return meta.rank(); }
  DType dtype() const { return meta.dtype(); }
  /// `any` where it is free.
  std::int64_t size(int axis) const { return meta.shape()[axis < 0 ? axis + rank() : axis]; }
  bool masked_steps() const { return mask && mask->rank == 2; }
};
using Values = std::vector<Value>;

/// What the export of a model has in common.
class Exporter {
 public:
  Exporter(const OnnxOptions& options_, std::vector<std::string>& troubles_)
      : options(options_), troubles(troubles_) {}

  /// The results of a layer, of a container too. What cannot be exported is told in `troubles`.
  Values call(AnyLayer& layer, const Values& inputs);

  // Sizes.
  std::string size_of(const Value& x, int axis);   ///< i64, rank 0
  std::string sizes_of(const Value& x, int axis);  ///< i64 [1]

  // Masks.
  /// bool, as the mask's shape.
  std::string valid(const Value& x);
  /// The same for values of `rank` axes, the last ones 1.
  std::string valid(const Value& x, int rank);
  /// i64 [batch]: the valid steps of each sequence; without a mask over steps all of them.
  std::string lengths(const Value& x);
  /// The same, at least 1, as i32.
  std::string lengths_of_one(const Value& x);
  /// i64 [time], 0 on.
  std::string steps(const Value& x) { return graph.range(size_of(x, 1)); }
  /// With zeros where it is not valid.
  Value cleaned(const Value& x);
  std::string filled(const Value& x, double value);
  /// The valid steps of each sequence first, and zeros behind them; x itself where they are.
  Value packed(const Value& x);
  /// The way back, for a result of as many steps.
  Value unpacked(const Value& y, const Value& x);
  MaskRef mask_by_lengths(const std::string& lengths, const std::string& steps_of);
  MaskRef mask_by_values(int rank, const std::string& valid, const std::string& steps_of);
  /// Valid where both are; null where neither is one.
  MaskRef both(const Value& a, const Value& b);

  const OnnxOptions& options;
  std::vector<std::string>& troubles;
  GraphBuilder graph;

 private:
  void order(const Value& x);
};

/// One call of a layer that is exported.
struct Call {
  Exporter& to;
  GraphBuilder& graph;
  AnyLayer& layer;
  const Values& inputs;
  const Tensors& metas;  ///< of the results

  const Value& x() const { return inputs[0]; }
  DType dtype() const { return metas[0].dtype(); }
  /// A weight of the layer by its name in it, as `kernel`.
  Weight weight(const std::string& name) const;
  bool has_weight(const std::string& name) const { return find(name) != nullptr; }
  /// The same, as it is, in the file.
  std::string put(const std::string& name) const { return graph.weight(name, weight(name)); }
  /// The i-th result, under `mask`, which is left out where the layer gives none.
  Value result(std::string name, MaskRef mask = {}, std::size_t i = 0, bool clean = false) const;
  Values only(std::string name, MaskRef mask = {}) const {
    return {result(std::move(name), std::move(mask))};
  }
  /// Says why the layer cannot be exported as it is, and what to do.
  Values refuse(const std::string& why, const std::string& ways_out) const;
  /// Real constants of the type of the layer's results.
  std::string real(double value) const { return graph.real(dtype(), value); }

 private:
  const Parameter* find(const std::string& name) const;
};

}  // namespace maskgrad::onnx
