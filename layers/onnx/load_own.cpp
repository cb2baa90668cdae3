#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/layers/layer/builder.hpp>
#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/layers/model/model.hpp>
#include <maskgrad/layers/model/weights_file.hpp>
#include <maskgrad/layers/onnx/loading.hpp>
#include <maskgrad/layers/onnx/notes.hpp>

// A model of its own description, whose weights are put back without knowing how each class writes
// them: the places of all values are written in their stead, and where a place then stands in the
// graph, there its value stands in the file.

namespace maskgrad::onnx {
namespace {

/// No more weights are made than the file holds values.
class Held final : public detail::WeightWatch {
 public:
  explicit Held(const File& file) : file_(file) {
    for (const auto& data : file.model.graph.initializers) {
      left_ += static_cast<std::int64_t>(data.raw.size() / 4);
    }
  }
  Parameter instead(const std::string& path, const Shape& shape) override {
    std::int64_t count = 1;
    for (const auto size : shape) {
      if (size != 0 && count > left_ / size) refuse(path, shape);
      count *= size;
    }
    left_ -= count;
    return {};
  }
  void made(const std::string&, const Parameter&) override {}

 private:
  [[noreturn]] void refuse(const std::string& path, const Shape& shape) const {
    file_.refuse(
        {fmt::format("its metadata describe a weight {} {}, beyond the values that it "
                     "holds",
                     path, shape)});
  }
  const File& file_;
  std::int64_t left_ = 0;
};

detail::ModelNotes notes_of(const File& file) {
  return detail::notes_from(file.path,
                            Metadata(file.model.metadata.begin(), file.model.metadata.end()));
}

/// The model with the place of each value in its stead, below 0, as constants are not.
AnyLayer with_places(const AnyLayer& model) {
  AnyLayer coded = clone(model, DType::f64);
  double next = -1;
  for (const auto& p : parameters(coded)) {
    std::vector<double> places(static_cast<std::size_t>(p.shape().count()));
    for (auto& place : places) place = next--;
    p.set(tensor(places, p.shape()));
  }
  return coded;
}

/// The inputs of such a model.
std::vector<Spec> wide_inputs(const std::vector<Spec>& inputs) {
  std::vector<Spec> wide;
  for (const auto& spec : inputs) {
    const Spec own = spec.dtype() == DType::f32 ? Spec::f64(spec.shape()) : spec;
    wide.push_back(spec.mask_axes() >= 0 ? own.masked(spec.mask_axes()) : own);
  }
  return wide;
}

bool same_nodes(const Graph& a, const Graph& b) {
  const auto same = [](const Node& x, const Node& y) {
    return x.op == y.op && x.inputs == y.inputs && x.outputs == y.outputs;
  };
  return std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(), same);
}

/// The values of all weights, one parameter behind the other.
std::vector<double> values_of(const File& file, const Exported& places, std::size_t count) {
  std::map<std::string, const TensorData*> held;
  for (const auto& data : file.model.graph.initializers) held.emplace(data.name, &data);
  std::vector<std::string> troubles;
  std::vector<double> values(count, std::nan(""));
  std::vector<bool> found(count);
  for (const auto& [name, weight] : places.weights) {
    const auto data = held.find(name);
    if (data == held.end() || data->second->dims != weight.dims) {
      troubles.push_back(
          fmt::format("the weight '{}' [{}] is not there", name, fmt::join(weight.dims, ", ")));
      continue;
    }
    const auto given = reals_of(*data->second, troubles);
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (weight.values[i] >= 0) continue;
      const auto at = static_cast<std::size_t>(-weight.values[i]) - 1;
      values[at] = given[i];
      found[at] = true;
    }
  }
  if (troubles.empty() && std::find(found.begin(), found.end(), false) != found.end()) {
    troubles.emplace_back("it does not hold all weights of the model that it describes");
  }
  if (!troubles.empty()) file.refuse(troubles);
  return values;
}

}  // namespace

bool is_own(const File& file) {
  return file.model.metadata.contains(options_key) &&
         file.model.metadata.contains("maskgrad_model");
}

AnyLayer load_own(const File& file) {
  const auto notes = notes_of(file);
  OnnxOptions options = options_from(file.model.metadata.at(options_key));
  options.inputs = wide_inputs(notes.inputs);
  AnyLayer model = detail::layer_from("load_onnx", notes.model);
  {
    const Held held(file);
    build(model, notes.inputs, notes.seed);
  }
  const auto& weights = file.model.graph.initializers;
  const bool wide = std::any_of(weights.begin(), weights.end(), [](const TensorData& data) {
    return data.type == static_cast<int>(Type::f64);
  });
  if (wide) model = clone(model, DType::f64);
  std::vector<std::string> troubles;
  AnyLayer coded = with_places(model);
  const auto places = exported(coded, options, troubles, file.model.graph.nodes.size() + 1);
  if (!troubles.empty()) file.refuse(troubles);
  if (!same_nodes(places.model.graph, file.model.graph)) return load_foreign(file);
  const auto all = parameters(model);
  std::size_t count = 0;
  for (const auto& p : all) count += static_cast<std::size_t>(p.shape().count());
  const auto values = values_of(file, places, count);
  auto at = values.begin();
  for (const auto& p : all) {
    const auto end = at + p.shape().count();
    const Tensor own = tensor(std::vector<double>(at, end), p.shape());
    p.set(p.dtype() == DType::f64 ? own : cast(own, p.dtype()));
    at = end;
  }
  const std::set<std::string> frozen(notes.frozen.begin(), notes.frozen.end());
  for (const auto& [name, p] : named_parameters(model)) {
    if (frozen.contains(name) && !p.is_state()) p.set_trainable(false);
  }
  return model;
}

}  // namespace maskgrad::onnx
