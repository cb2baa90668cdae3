#pragma once

#include <functional>
#include <limits>
#include <map>

#include <maskgrad/core/dtype.hpp>
#include <maskgrad/layers/onnx/format.hpp>
#include <maskgrad/layers/onnx/weight.hpp>

namespace maskgrad::onnx {

using Names = std::vector<std::string>;
using Sizes = std::vector<std::int64_t>;
using Attributes = std::vector<Attribute>;

Attribute attribute(std::string name, std::int64_t value);
inline Attribute attribute(std::string name, int value) {
  return attribute(std::move(name), std::int64_t{value});
}
Attribute attribute(std::string name, Sizes values);
Attribute attribute(std::string name, double value);
Attribute attribute(std::string name, std::vector<float> values);
Attribute attribute(std::string name, std::string value);
Attribute attribute(std::string name, Names values);
Type type_of(DType dtype);

/// Puts a graph together, node by node; every tensor in it goes by its name.
class GraphBuilder {
 public:
  /// The layer whose nodes follow; their names begin with its path.
  void enter(std::string path) { path_ = std::move(path); }
  const std::string& path() const { return path_; }

  std::string node(const std::string& op, Names inputs, Attributes attributes = {});
  Names nodes(const std::string& op, Names inputs, Attributes attributes, std::size_t outputs);

  /// Constants, each once.
  std::string integer(std::int64_t value);  ///< rank 0
  std::string integers(const Sizes& values);
  std::string real(DType dtype, double value);  ///< rank 0
  static double least(DType dtype);             ///< the least finite number
  std::string boolean(bool value);
  /// A weight of the layer, `name` in its path; a second one of that name is the first.
  std::string weight(const std::string& name, const Weight& weight);

  // What is needed everywhere.
  std::string cast(const std::string& x, Type to);
  std::string reshape(const std::string& x, const Sizes& shape);
  std::string reshape_as(const std::string& x, const std::string& shape);
  std::string transpose(const std::string& x, const Sizes& order);
  std::string unsqueeze(const std::string& x, const Sizes& axes);
  std::string squeeze(const std::string& x, const Sizes& axes);
  std::string reduce(const std::string& op, const std::string& x, const Sizes& axes, bool keep);
  std::string slice(const std::string& x, std::int64_t axis, const std::string& from,
                    const std::string& to);
  std::string where(const std::string& there, const std::string& a, const std::string& b) {
    return node("Where", {there, a, b});
  }
  /// i64 [rank].
  std::string shape(const std::string& x);
  /// i64 [size], 0 to size - 1, of a size of rank 0.
  std::string range(const std::string& size);
  std::string concat(const Names& parts, std::int64_t axis) {
    return parts.size() == 1 ? parts[0] : node("Concat", parts, {attribute("axis", axis)});
  }

  /// The states before the first piece of x [pieces, batch, ...], and what they become by each.
  using Step = std::function<Names(const Names& states, const std::string& piece)>;
  /// The states behind the last piece, then those behind each [pieces, batch, ...]. What a step
  /// reads besides stands outside of it.
  Names scan(const Names& states, const std::string& x, DType dtype, const Step& step);

  /// FileError where the graph gets more nodes than this: those of a file that is read.
  std::size_t most_nodes = std::numeric_limits<std::size_t>::max();
  Graph graph;
  /// The initializers that hold weights, with their values.
  std::vector<std::pair<std::string, Weight>> weights;

 private:
  std::string constant(std::string name, TensorData data);
  std::string fresh(const std::string& op);

  std::string path_;
  std::map<std::string, int> used_;
  std::map<std::string, std::string> known_;
};

}  // namespace maskgrad::onnx
