// onnx_cases --page: prints layers/onnx/README.md. onnx_cases FOLDER: writes models as ONNX, and
// beside them what they are given and must give:
//   cases.json   [{"title", "file", "inputs": [TENSOR, ...], "outputs": [TENSOR, ...]}, ...]
//   data.bin     the values; TENSOR is {"name", "type", "dims", "at"}, `at` a byte in it
// What cannot be written, and should be, is printed. check.py and run.js read them.
#include <set>

#include <maskgrad/layers/onnx/load.hpp>
#include <maskgrad/layers/onnx/loading.hpp>
#include <maskgrad/layers/onnx/table.hpp>
#include <maskgrad/layers/onnx/weight.hpp>

#include "onnx/foreign.hpp"
#include "onnx/models.hpp"
#include "onnx/written.hpp"

namespace maskgrad::tests {
namespace {

using namespace written;

bool same(const Tensors& a, const Tensors& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Tensor& x, const Tensor& y) { return x.str() == y.str(); });
}

class Writing {
 public:
  explicit Writing(const std::filesystem::path& folder) : files_(folder) {}

  void write(const OnnxCase& c) {
    write(c, {Pattern::none});
    if (c.padding_is_last) return;
    write(c, {Pattern::full, Pattern::ragged, Pattern::empty});
    for (const auto pattern : {Pattern::holes, Pattern::samples, Pattern::values}) {
      write(c, {pattern});
    }
  }
  /// What the table does not say, as the exit status.
  int end() {
    for (const auto& c : foreign_files()) write(c);
    files_.end();
    fmt::print("{} files, {} runs\n", count_, runs_);
    for (const auto& name : registered_layers()) {
      const auto* row = onnx::row_of(name.kind);
      if (row && (!row->write || seen_.contains(name.kind))) continue;
      fmt::print("FAILED {}: it has no row in layers/onnx/table.cpp, or was not written\n",
                 name.kind);
      ++wrong_;
    }
    return wrong_ > 0 ? 1 : 0;
  }

 private:
  /// A file of another exporter gives in onnxruntime what it gives here.
  void write(const ForeignFile& c) {
    const std::string file = fmt::format("{:03}.onnx", count_++);
    const auto bytes = onnx::encode(c.model, "test");
    std::ofstream(files_.folder() / file, std::ios::binary) << bytes;
    AnyLayer model = load_onnx(files_.folder() / file);
    for (const auto pattern : {Pattern::none, Pattern::full, Pattern::ragged}) {
      if ((pattern != Pattern::none) != c.lengths) continue;
      const Spec spec = model.built_with()->inputs[0];
      const Shape shape = with_sizes(spec.shape());
      auto input = input_of(files_, spec, "x", pattern, 0, true);
      input.written.clear();
      if (spec.dtype() == DType::i64) {
        input.written.push_back(
            files_.put("x", "int64", dims_of(shape), input.value.to_vector<std::int64_t>()));
      } else {
        input.written.push_back(reals("x", input.value, c.input_order));
      }
      if (c.lengths) {
        std::vector<std::int32_t> lengths(batch);
        const auto valid = valid_steps(pattern, 0);
        for (std::size_t i = 0; i < valid.size(); ++i) lengths[i / time] += valid[i];
        input.written.push_back(files_.put("lengths", "int32", {batch}, lengths));
      }
      const auto outputs = predict(model, Tensors{input.value});
      std::vector<std::string> written;
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto& name = c.model.graph.outputs[i].name;
        written.push_back(reals(name, outputs[i], c.output_orders[i]));
      }
      files_.add(fmt::format("{}, {}", c.title, pattern_names[static_cast<int>(pattern)]), file,
                 input.written, written);
      ++runs_;
    }
  }
  std::string reals(const std::string& name, const Tensor& x, const std::string& order) {
    onnx::Weight w{DType::f32, dims_of(x.shape()), {}};
    for (const float v : x.to_vector<float>()) w.values.push_back(static_cast<double>(v));
    std::vector<std::size_t> axes;
    const std::string ours = x.rank() == 3 ? "BTF" : "BF";
    for (const char c : order) axes.push_back(ours.find(c));
    w = transposed(w, axes);
    return files_.put(name, "float32", w.dims,
                      std::vector<float>(w.values.begin(), w.values.end()));
  }

  /// The axes that the mask of an input has under a pattern; 0 where it has none.
  static int mask_axes(const Spec& spec, Pattern pattern) {
    const bool sequence = spec.shape().rank() >= 2 && spec.shape()[1] == any;
    if (pattern == Pattern::none) return 0;
    if (pattern == Pattern::samples) return 1;
    return !sequence ? 0 : pattern == Pattern::values ? spec.shape().rank() : 2;
  }
  void write(const OnnxCase& c, const std::vector<Pattern>& patterns) {
    const bool holes = patterns[0] == Pattern::holes || patterns[0] == Pattern::values;
    OnnxOptions options{.mask_inputs = holes, .padding_is_last = c.padding_is_last};
    bool masked = false;
    for (const auto& spec : c.specs) {
      const int axes = mask_axes(spec, patterns[0]);
      masked = masked || axes > 0;
      options.inputs.push_back(axes > 0 ? spec.masked(axes) : spec);
    }
    if (!masked && patterns[0] != Pattern::none) return;
    const std::string file = fmt::format("{:03}.onnx", count_);
    try {
      AnyLayer model = c.model;
      const Evaluate evaluate;
      detail::run_model(model, detail::metas_of(options.inputs));  // who refuses the mask
      options.metadata = {{"title", c.title}};
    } catch (const Error&) {
      return;
    }
    try {
      save_onnx(c.model, files_.folder() / file, options);
    } catch (const OptionError& error) {
      const auto* row = onnx::row_of(c.model.kind());
      if (row && !row->why.empty()) return;
      fmt::print("FAILED {}: {}\n", c.title, error.what());
      ++wrong_;
      return;
    }
    ++count_;
    seen_.emplace(c.model.kind());
    for (const auto pattern : patterns) run(c, options.inputs, file, pattern);
  }

  void run(const OnnxCase& c, const std::vector<Spec>& specs, const std::string& file,
           Pattern pattern) {
    Tensors inputs;
    std::vector<std::string> written;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      std::string name = specs.size() == 1 ? "x" : fmt::format("x_{}", i);
      if (c.model.is<Functional>() && specs.size() == 2) name = i == 0 ? "words" : "sounds";
      auto input = input_of(files_, specs[i], name, pattern, i, c.padding_is_last);
      inputs.push_back(input.value);
      written.insert(written.end(), input.written.begin(), input.written.end());
    }
    try {
      AnyLayer model = c.model, again = load_onnx(files_.folder() / file);
      const auto outputs = predict(model, inputs);
      if (!same(outputs, predict(again, inputs))) {
        fmt::print("FAILED {}: loaded again it gives something else\n", c.title);
        ++wrong_;
      }
      files_.add(fmt::format("{}, {}", c.title, pattern_names[static_cast<int>(pattern)]), file,
                 written, written_outputs(files_, outputs));
      ++runs_;
    } catch (const ShapeError&) {
      // More queries than keys, and the like.
    }
  }

  Files files_;
  int count_ = 0, runs_ = 0, wrong_ = 0;
  std::set<std::string, std::less<>> seen_;
};

constexpr const char* read_page = R"(
## Files of other exporters

`load_onnx` reads a file of its own by what its metadata say. Of another one, or where somebody changed the nodes, it
makes a Functional of these operators, and lists all that are not:

{}.

Weights are those of the file; initial states are 0. Tensors are [batch, time, features] here, whatever their order
in the file: Transpose, Squeeze, Unsqueeze and Reshape say where axes are, and are no layers. Constants and what
computes shapes are read past. `sequence_lens` that are an input become the mask of the input that the layer reads,
which all behind it then respect, where the file computes on what stands behind a sequence.
)";

constexpr const char* page = R"(# What each layer becomes in an ONNX file

Made by `build/tests/onnx_cases --page > layers/onnx/README.md` from `table.cpp`; the test `onnx` fails where it
is stale, where a layer of the library is missing, and where a file gives something else than the model in
onnxruntime, at masks of many patterns with garbage as padding.

- A file is of opset 17. Inputs have their names, `x` where there is none, and free sizes; an input `x` under a mask
  over steps comes with `x_lengths`, i32 [batch], or, with `.mask_inputs`, with `x_mask`, bool [batch, steps], which
  may have holes. Outputs are 0 at padding; a masked `y` comes with `y_lengths` or `y_mask`.
- Padding reaches nothing: it is taken out by Where, never multiplied. Steps behind a hole are put in order by TopK
  and GatherND before what reads neighbors, and back behind it.
- Masking and Embedding with mask_zero find their padding in the file too. It may stand anywhere; with
  `.padding_is_last`, which says that it never does, steps need not be put in order.

| layer | operators | refused | instead |
| --- | --- | --- | --- |
)";

int print_page() {
  fmt::print("{}", page);
  for (const auto& row : onnx::rows()) {
    fmt::print("| {} | {} | {} | {} |\n", row.kind, row.operators, row.why, row.ways_out);
  }
  fmt::print(fmt::runtime(read_page), fmt::join(onnx::read_operators(), ", "));
  return 0;
}

}  // namespace
}  // namespace maskgrad::tests

int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print("usage: onnx_cases --page | FOLDER\n");
    return 2;
  }
  if (std::string_view(arguments[1]) == "--page") return maskgrad::tests::print_page();
  maskgrad::tests::Writing writing(arguments[1]);
  for (const auto& c : maskgrad::tests::onnx_cases()) writing.write(c);
  return writing.end();
}
