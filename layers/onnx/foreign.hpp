#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include <maskgrad/layers/model/functional.hpp>
#include <maskgrad/layers/onnx/loading.hpp>

namespace maskgrad::onnx {

/// What an axis of a tensor of the file is here. `one` has a single value and is not there here;
/// `directions` has two, whose tensors are apart here, or side by side as features.
enum class Role : char {
  batch = 'B',
  time = 'T',
  features = 'F',
  one = '1',
  directions = 'D',
};
using Roles = std::vector<Role>;

/// A tensor of the file as one of the model, which is [batch, features] or [batch, time, features].
struct Traced {
  Functional::Node node;
  Roles axes;               ///< in the file's order
  std::set<int> inputs;     ///< of the model that it depends on
  Functional::Node second;  ///< where the directions are apart, that of the second
  bool side_by_side = false;

  bool has(Role role) const;
  int axis(Role role) const;  ///< -1 where it has none
};

/// Makes a Functional of the operators of a file that another program wrote.
class Foreign {
 public:
  explicit Foreign(const File& file);
  AnyLayer load();

  // What the families of operators use (foreign_*.cpp).
  std::int64_t integer(const Node& node, const char* name, std::int64_t otherwise) const;
  double real(const Node& node, const char* name, double otherwise) const;
  std::string text(const Node& node, const char* name, const char* otherwise) const;
  const Attribute* find(const Node& node, const char* name) const;
  /// The integers of an attribute, or of a constant input; nothing where there are none.
  std::optional<std::vector<std::int64_t>> integers(const Node& node, const char* name,
                                                    std::size_t input = 1000) const;
  bool given(const Node& node, std::size_t input) const {
    return input < node.inputs.size() && !node.inputs[input].empty();
  }
  /// The input as a tensor of the model; says so and gives none where it is no such tensor.
  const Traced* traced(const Node& node, std::size_t input);
  bool is_traced(const std::string& name) const { return values_.contains(name); }
  const TensorData* constant(const std::string& name) const;
  const TensorData* constant(const Node& node, std::size_t input) const {
    return given(node, input) ? constant(node.inputs[input]) : nullptr;
  }
  bool is_zero(const std::string& name) const;
  /// The one node that reads a tensor; null where there are others, or it is an output.
  const Node* only_reader(const std::string& name) const;
  bool is_read(const Node& node, std::size_t output) const;

  using Weights = std::map<std::string, std::vector<double>>;
  /// Calls a layer that has these weights; the same layer where `key` was called before.
  Functional::Node call(const AnyLayer& layer, const std::vector<Functional::Node>& inputs,
                        const std::string& key = {}, const Weights& weights = {});
  void put(const std::string& name, Traced value) { values_[name] = std::move(value); }
  void like(const Node& node, const Traced& x, Functional::Node made);
  void trouble(const Node& node, const std::string& why);
  std::vector<double> reals(const TensorData& data) { return reals_of(data, troubles_); }
  /// `lengths` are those of the input that x depends on.
  void mask_by(const Node& node, const std::string& lengths, const Traced& x);
  void done(const Node* node) { done_.insert(node); }
  void fix_steps() { fixed_ = true; }

 private:
  void read_inputs();
  Roles layout_of(const std::string& name, int rank) const;
  bool about_shapes(const Node& node);
  void finish_lengths();
  std::vector<Spec> specs();

  struct Input {
    const ValueInfo* info;
    Roles axes;
    bool ids, masked = false;
  };
  const File& file_;
  Functional model_;
  std::vector<std::string> troubles_;
  std::vector<Input> inputs_;
  std::map<std::string, Traced> values_;
  std::map<std::string, const TensorData*> constants_;
  std::set<std::string> shapes_, zeros_, outputs_;
  std::map<std::string, std::string> lengths_;  ///< inputs that may be lengths, and what they pass
  std::map<std::string, std::vector<const Node*>> readers_;
  std::map<std::string, Functional::LayerId> made_;
  std::vector<std::pair<Functional::LayerId, Weights>> weights_;
  std::set<const Node*> done_;
  bool fixed_ = false;
};

/// How an operator becomes layers; null where none does.
using Reading = void (*)(Foreign&, const Node&);
Reading reading_of(const std::string& op);

// foreign_recurrent.cpp, foreign_layers.cpp, foreign_shapes.cpp
void read_recurrent(Foreign& to, const Node& node);
void read_matmul(Foreign& to, const Node& node);
void read_gemm(Foreign& to, const Node& node);
void read_conv(Foreign& to, const Node& node);
void read_pool(Foreign& to, const Node& node);
void read_global_pool(Foreign& to, const Node& node);
void read_batch_normalization(Foreign& to, const Node& node);
void read_layer_normalization(Foreign& to, const Node& node);
void read_embedding(Foreign& to, const Node& node);
void read_activation(Foreign& to, const Node& node);
void read_clip(Foreign& to, const Node& node);
void read_softmax(Foreign& to, const Node& node);
void read_merge(Foreign& to, const Node& node);
void read_concat(Foreign& to, const Node& node);
void read_reduce(Foreign& to, const Node& node);
void read_pass(Foreign& to, const Node& node);
void read_transpose(Foreign& to, const Node& node);
void read_squeeze(Foreign& to, const Node& node);
void read_unsqueeze(Foreign& to, const Node& node);
void read_flatten(Foreign& to, const Node& node);
void read_reshape(Foreign& to, const Node& node);
void read_slice(Foreign& to, const Node& node);

}  // namespace maskgrad::onnx
