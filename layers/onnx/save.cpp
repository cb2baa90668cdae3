#include <maskgrad/layers/onnx/save.hpp>

#include <fmt/format.h>

#include <set>

#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/core/version.hpp>
#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/layers/model/functional.hpp>
#include <maskgrad/layers/model/weights_file.hpp>
#include <maskgrad/layers/onnx/containers.hpp>
#include <maskgrad/layers/onnx/notes.hpp>

namespace maskgrad {
namespace onnx {
namespace {

constexpr std::string_view where = "save_onnx";

void check_names(const Names& names, std::size_t count, const char* option) {
  if (names.size() != count) {
    fail<OptionError>(where, "the option .{} has {} names; expected {}", option, names.size(),
                      count);
  }
  std::set<std::string> known;
  for (const auto& name : names) {
    if (!name.empty() && name.find('/') == std::string::npos && known.insert(name).second) continue;
    fail<OptionError>(where,
                      "the option .{} has the name '{}'; expected names without '/', each once",
                      option, name);
  }
}

Names input_names(const AnyLayer& model, const OnnxOptions& options) {
  Names names = options.input_names;
  if (names.empty() && model.is<Functional>()) names = graph_of(model).inputs;
  for (std::size_t i = names.size(); i < options.inputs.size(); ++i) {
    names.push_back(options.inputs.size() == 1 ? "x" : fmt::format("x_{}", i));
  }
  check_names(names, options.inputs.size(), "input_names");
  return names;
}

/// The axes of an input; free sizes are named, so that a reader sees which are the same.
std::vector<Axis> axes_of(const Shape& shape, const std::string& name, bool alone) {
  std::vector<Axis> axes;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] != any) {
      axes.push_back({shape[i], ""});
    } else if (i < 2) {
      axes.push_back({-1, i == 0 ? "batch" : alone ? "steps" : name + "_steps"});
    } else {
      axes.push_back({-1, fmt::format("{}_axis_{}", name, i)});
    }
  }
  return axes;
}

class Saving {
 public:
  Saving(const OnnxOptions& options, std::vector<std::string>& troubles, std::size_t most_nodes)
      : options_(options), to_(options, troubles) {
    to_.graph.most_nodes = most_nodes;
  }

  Values inputs(const Names& names) {
    Values values;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Spec& spec = options_.inputs[i];
      const bool alone = names.size() == 1;
      const auto axes = axes_of(spec.shape(), names[i], alone);
      add(to_.graph.graph.inputs, names[i], type_of(spec.dtype()), axes);
      Value x{names[i], spec.meta()};
      const int rank = spec.mask_axes();
      if (rank == 2 && !options_.mask_inputs) {
        add(to_.graph.graph.inputs, names[i] + "_lengths", Type::i32, {axes[0]});
        x.mask = to_.mask_by_lengths(to_.graph.cast(names[i] + "_lengths", Type::i64), names[i]);
      } else if (rank > 0) {
        add(to_.graph.graph.inputs, names[i] + "_mask", Type::boolean,
            {axes.begin(), axes.begin() + rank});
        x.mask = to_.mask_by_values(rank, names[i] + "_mask", names[i]);
      } else if (rank == 0) {
        to_.troubles.push_back(
            fmt::format("input '{}' has a mask of no axes; ways out: one over "
                        "the batch",
                        names[i]));
      }
      values.push_back(std::move(x));
    }
    return values;
  }

  void outputs(const Values& values) {
    Names names = options_.output_names;
    for (std::size_t i = names.size(); i < values.size(); ++i) {
      names.push_back(values.size() == 1 ? "y" : fmt::format("y_{}", i));
    }
    check_names(names, values.size(), "output_names");
    for (std::size_t i = 0; i < values.size(); ++i) output(names[i], values[i]);
  }

  Values call(AnyLayer& model, const Values& inputs) { return to_.call(model, inputs); }
  Graph graph() { return std::move(to_.graph.graph); }
  auto weights() { return std::move(to_.graph.weights); }

 private:
  static void add(std::vector<ValueInfo>& to, const std::string& name, Type type,
                  std::vector<Axis> axes) {
    to.push_back({name, static_cast<int>(type), std::move(axes), true});
  }
  static std::vector<Axis> free_axes(const Shape& shape) {
    std::vector<Axis> axes;
    for (const auto size : shape) axes.push_back({size == any ? -1 : size, ""});
    if (!axes.empty() && axes[0].size < 0) axes[0].name = "batch";
    return axes;
  }
  void named(const std::string& name, const std::string& value, Type type, const Shape& shape) {
    to_.graph.graph.nodes.push_back({name, "Identity", "", {value}, {name}, {}});
    add(to_.graph.graph.outputs, name, type, free_axes(shape));
  }
  void output(const std::string& name, const Value& y) {
    to_.graph.enter("");
    const Shape& shape = y.meta.shape();
    const auto value = to_.cleaned(y).name;
    named(name, value, type_of(y.dtype()), shape);
    if (!y.mask || !options_.mask_outputs) return;
    if (y.mask->rank == 2 && !y.mask->lengths.empty()) {
      // Outputs under one mask share their lengths: onnxruntime 1.17 overwrote casts of its own each.
      auto& lengths = shown_lengths_[y.mask->lengths];
      if (lengths.empty()) lengths = to_.graph.cast(y.mask->lengths, Type::i32);
      named(name + "_lengths", lengths, Type::i32, shape.sub(0, 1));
    } else {
      named(name + "_mask", to_.valid(y), Type::boolean, shape.sub(0, y.mask->rank));
    }
  }

  const OnnxOptions& options_;
  Exporter to_;
  std::map<std::string, std::string> shown_lengths_;  ///< i32, by those of masks
};

struct OptionsText {
  std::int64_t version = 1;
  std::vector<std::string> input_names, output_names;
  bool mask_inputs = false, padding_is_last = false, mask_outputs = true;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("version", o.version);
    f("input_names", o.input_names);
    f("output_names", o.output_names);
    f("mask_inputs", o.mask_inputs);
    f("padding_is_last", o.padding_is_last);
    f("mask_outputs", o.mask_outputs);
  }
};

}  // namespace

std::string options_text(const OnnxOptions& o) {
  OptionsText text{
      1, o.input_names, o.output_names, o.mask_inputs, o.padding_is_last, o.mask_outputs};
  extend::OptionWriter writer;
  OptionsText::each_option(text, writer);
  return writer.json();
}

OnnxOptions options_from(std::string_view json) {
  const auto text = extend::read_options<OptionsText>("its metadata", json);
  OnnxOptions options;
  options.input_names = text.input_names;
  options.output_names = text.output_names;
  options.mask_inputs = text.mask_inputs;
  options.padding_is_last = text.padding_is_last;
  options.mask_outputs = text.mask_outputs;
  return options;
}

Exported exported(AnyLayer& model, const OnnxOptions& options, std::vector<std::string>& troubles,
                  std::size_t most_nodes) {
  const Evaluate evaluate;
  const NoGrad no_grad;
  Saving saving(options, troubles, most_nodes);
  const Values inputs = saving.inputs(input_names(model, options));
  saving.outputs(saving.call(model, inputs));
  Exported all;
  all.model.graph = saving.graph();
  all.model.graph.name = model.info().name;
  all.model.producer = "maskgrad";
  all.weights = saving.weights();
  return all;
}

}  // namespace onnx

namespace detail {

void save_onnx(AnyLayer model, const std::filesystem::path& path, OnnxOptions options) {
  if (options.inputs.empty() && model.built_with()) options.inputs = model.built_with()->inputs;
  if (options.inputs.empty()) {
    fail<OptionError>(onnx::where,
                      "it is not known what inputs the {} takes; give .inputs, as "
                      "{{Spec::f32({{any, any, 3}}).masked(2)}}",
                      model.kind());
  }
  std::vector<std::string> troubles;
  auto all = onnx::exported(model, options, troubles);
  if (!troubles.empty()) {
    fail<OptionError>(onnx::where, "{} '{}' cannot be written as ONNX:\n  {}", model.kind(),
                      model.info().name, fmt::join(troubles, "\n  "));
  }
  all.model.metadata = options.metadata;
  all.model.producer_version = version();
  try {
    ModelNotes notes{part_of(model), options.inputs, Seed{0}, {}, {}};
    for (const auto& [name, p] : named_parameters(model)) {
      if (!p.trainable() && !p.is_state()) notes.frozen.push_back(name);
    }
    for (const auto& [key, value] : metadata_of(notes)) {
      all.model.metadata[key] = value;
    }
    all.model.metadata[onnx::options_key] = onnx::options_text(options);
  } catch (const OptionError&) {
    // A layer that lists no options: the file runs all the same, and is read by its operators.
  }
  const std::string bytes = onnx::encode(all.model, onnx::where);
  write_file(path, std::as_bytes(std::span(bytes)), onnx::where);
}

}  // namespace detail
}  // namespace maskgrad
