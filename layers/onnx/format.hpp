#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// What an ONNX file holds, as far as it is written and read here.
namespace maskgrad::onnx {

enum class Type : int { f32 = 1, i32 = 6, i64 = 7, boolean = 9, f64 = 11 };

struct TensorData {
  std::string name;
  int type = 0;  ///< one of Type, or another one of a foreign file
  std::vector<std::int64_t> dims;
  std::string raw;  ///< its values, little endian
};

struct Graph;

struct Attribute {
  enum Kind {
    none = 0,
    real = 1,
    integer = 2,
    text = 3,
    tensor = 4,
    graph = 5,
    reals = 6,
    integers = 7
  };
  std::string name;
  int kind = none;
  float f = 0;
  std::int64_t i = 0;
  std::string s;
  TensorData t;
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  std::vector<std::string> strings;
  std::shared_ptr<const Graph> g = {};  ///< written, and passed over where a file is read
};

struct Node {
  std::string name, op, domain;
  std::vector<std::string> inputs, outputs;
  std::vector<Attribute> attributes;
};

/// An axis: a size, or a name that stands for a free one, or neither.
struct Axis {
  std::int64_t size = -1;
  std::string name = {};
};

/// An input or an output of the graph.
struct ValueInfo {
  std::string name;
  int type = 0;
  std::vector<Axis> axes;
  bool has_shape = false;
};

struct Graph {
  std::string name;
  std::vector<Node> nodes;
  std::vector<TensorData> initializers;
  std::vector<ValueInfo> inputs, outputs;
};

struct Model {
  std::int64_t ir_version = 8, opset = 17;
  std::string producer, producer_version;
  std::map<std::string, std::string> metadata;
  Graph graph;
};

/// The bytes of a file. OptionError from `where` beyond the 2 GiB that such a file can have.
std::string encode(const Model& model, std::string_view where);
/// FileError, which names the file `what`, for what is none, or holds more parts than models have.
/// External data are told in `external`, and never opened.
Model decode(std::string_view bytes, std::string_view what, std::vector<std::string>& external);

}  // namespace maskgrad::onnx
