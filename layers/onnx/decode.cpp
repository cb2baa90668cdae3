#include <cstring>
#include <limits>

#include <maskgrad/core/error.hpp>
#include <maskgrad/layers/onnx/format.hpp>
#include <maskgrad/layers/onnx/wire.hpp>

// Field numbers are those of onnx.proto; what is not known is skipped, or told as what it is.

namespace maskgrad::onnx {
namespace {

/// Parts beyond which a file is no honest one: each costs far more memory than its bytes.
constexpr std::int64_t most_parts = 1'000'000;

class Decoder {
 public:
  Decoder(std::string_view what, std::vector<std::string>& external)
      : what_(what), external_(external) {}

  Model model(std::string_view bytes) {
    Model model;
    bool graph = false;
    each(bytes, [&](const WireField& f) {
      if (f.number == 1) model.ir_version = f.integer();
      if (f.number == 2) model.producer = f.text();
      if (f.number == 3) model.producer_version = f.text();
      if (f.number == 7 && f.type == WireField::as_bytes) {
        if (graph) refuse("it holds two graphs");
        graph = true;
        model.graph = this->graph(f.bytes);
      }
      if (f.number == 8) opset(f.bytes, model.opset);
      if (f.number == 14) {
        const auto entry = pair(f.bytes);
        model.metadata[entry[0]] = entry[1];
      }
    });
    if (!graph) refuse("it holds no graph");
    return model;
  }

 private:
  [[noreturn]] void refuse(std::string_view why) const {
    fail<FileError>("load_onnx", "{}: {}; it is no ONNX model, or a damaged one", what_, why);
  }
  void count() {
    if (++parts_ > most_parts) refuse("it has more than a million parts");
  }
  template <class F>
  void each(std::string_view bytes, F&& f) {
    WireReader reader(bytes, what_);
    WireField field;
    while (reader.next(field)) f(field);
  }
  std::string counted(const WireField& f) {
    count();
    return f.text();
  }

  void opset(std::string_view bytes, std::int64_t& version) {
    std::string domain;
    std::int64_t found = 0;
    each(bytes, [&](const WireField& f) {
      if (f.number == 1) domain = f.text();
      if (f.number == 2) found = f.integer();
    });
    if (domain.empty() || domain == "ai.onnx") version = found;
  }
  std::vector<std::string> pair(std::string_view bytes) {
    count();
    std::vector<std::string> entry(2);
    each(bytes, [&](const WireField& f) {
      if (f.number == 1 || f.number == 2) entry[f.number - 1] = f.text();
    });
    return entry;
  }

  Graph graph(std::string_view bytes) {
    Graph graph;
    each(bytes, [&](const WireField& f) {
      if (f.number == 1) graph.nodes.push_back(node(f.bytes));
      if (f.number == 2) graph.name = f.text();
      if (f.number == 5) graph.initializers.push_back(tensor(f.bytes));
      if (f.number == 11) graph.inputs.push_back(value(f.bytes));
      if (f.number == 12) graph.outputs.push_back(value(f.bytes));
      if (f.number == 15) refuse("it holds sparse weights, which are not read here");
    });
    return graph;
  }

  Node node(std::string_view bytes) {
    count();
    Node node;
    each(bytes, [&](const WireField& f) {
      if (f.number == 1) node.inputs.push_back(counted(f));
      if (f.number == 2) node.outputs.push_back(counted(f));
      if (f.number == 3) node.name = f.text();
      if (f.number == 4) node.op = f.text();
      if (f.number == 5) node.attributes.push_back(attribute(f.bytes));
      if (f.number == 7) node.domain = f.text();
    });
    if (node.domain == "ai.onnx") node.domain.clear();
    return node;
  }

  Attribute attribute(std::string_view bytes) {
    count();
    Attribute a;
    each(bytes, [&](const WireField& f) {
      WireReader list({}, what_);
      if (f.number == 1) a.name = f.text();
      if (f.number == 2) a.f = f.real();
      if (f.number == 3) a.i = f.integer();
      if (f.number == 4) a.s = f.text();
      if (f.number == 5) a.t = tensor(f.bytes);
      if (f.number == 7) {
        const std::string values = f.text();
        const auto before = a.floats.size();
        a.floats.resize(before + values.size() / 4);
        if (values.size() >= 4) {
          std::memcpy(a.floats.data() + before, values.data(), values.size() / 4 * 4);
        }
      }
      if (f.number == 8) list.integers(f, [&](std::int64_t i) { a.ints.push_back(i); });
      if (f.number == 9) a.strings.push_back(counted(f));
      if (f.number == 20) a.kind = static_cast<int>(f.value & 63);
    });
    return a;
  }

  // Appends integers as a tensor's type stores them.
  void append(std::string& raw, int type, std::int64_t value) {
    const std::size_t width = type == static_cast<int>(Type::i64)       ? 8
                              : type == static_cast<int>(Type::boolean) ? 1
                                                                        : 4;
    raw.append(reinterpret_cast<const char*>(&value), width);
  }

  TensorData tensor(std::string_view bytes) {
    count();
    TensorData tensor;
    bool far = false;
    each(bytes, [&](const WireField& f) {
      if (f.number == 2) tensor.type = static_cast<int>(f.value & 255);
    });
    each(bytes, [&](const WireField& f) {
      WireReader list({}, what_);
      if (f.number == 1) list.integers(f, [&](std::int64_t i) { tensor.dims.push_back(i); });
      if (f.number == 4 || f.number == 10) tensor.raw += f.text();
      if (f.number == 5 || f.number == 7) {
        list.integers(f, [&](std::int64_t i) { append(tensor.raw, tensor.type, i); });
      }
      if (f.number == 8) tensor.name = f.text();
      if (f.number == 9) tensor.raw = f.text();
      if (f.number == 13) far = true;
      if (f.number == 14) far = far || f.value == 1;
    });
    if (tensor.dims.size() > 64) refuse("a tensor has more than 64 axes");
    if (far) external_.push_back(tensor.name);
    return tensor;
  }

  ValueInfo value(std::string_view bytes) {
    count();
    ValueInfo value;
    each(bytes, [&](const WireField& f) {
      if (f.number == 1) value.name = f.text();
      if (f.number != 2 || f.type != WireField::as_bytes) return;
      each(f.bytes, [&](const WireField& type) {
        if (type.number == 1) tensor_type(type.bytes, value);
      });
    });
    return value;
  }
  void tensor_type(std::string_view bytes, ValueInfo& value) {
    each(bytes, [&](const WireField& f) {
      if (f.number == 1) value.type = static_cast<int>(f.value & 255);
      if (f.number != 2) return;
      value.has_shape = true;
      each(f.bytes, [&](const WireField& dim) {
        count();
        Axis axis;
        each(dim.bytes, [&](const WireField& part) {
          if (part.number == 1) axis.size = part.integer();
          if (part.number == 2) axis.name = part.text();
        });
        value.axes.push_back(std::move(axis));
      });
    });
  }

  std::string_view what_;
  std::vector<std::string>& external_;
  std::int64_t parts_ = 0;
};

}  // namespace

Model decode(std::string_view bytes, std::string_view what, std::vector<std::string>& external) {
  return Decoder(what, external).model(bytes);
}

}  // namespace maskgrad::onnx
