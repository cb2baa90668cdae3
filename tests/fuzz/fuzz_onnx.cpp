// ONNX files, of this library and of others, which load or are refused by an error of the library.
#include <maskgrad/layers/onnx/load.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include <maskgrad/core/error.hpp>
#include <maskgrad/layers/onnx/format.hpp>

using namespace maskgrad;

namespace {

const std::filesystem::path& path() {
  static const auto path =
      std::filesystem::temp_directory_path() / ("maskgrad-fuzz-onnx-" + std::to_string(::getpid()));
  return path;
}

using Random = std::minstd_rand;

template <class T>
T* one_of(std::vector<T>& all, Random& random) {
  return all.empty() ? nullptr : &all[random() % all.size()];
}

std::int64_t number(Random& random) {
  constexpr std::int64_t odd[] = {0,
                                  1,
                                  -1,
                                  2,
                                  3,
                                  5,
                                  12,
                                  1 << 20,
                                  std::int64_t{1} << 40,
                                  std::numeric_limits<std::int64_t>::max()};
  return odd[random() % std::size(odd)];
}

// The name of some tensor of the graph.
std::string some_name(onnx::Graph& graph, Random& random) {
  if (random() % 3 == 0) {
    if (auto* data = one_of(graph.initializers, random)) return data->name;
  }
  if (random() % 4 == 0) {
    if (auto* input = one_of(graph.inputs, random)) return input->name;
  }
  auto* node = one_of(graph.nodes, random);
  auto* name = node ? one_of(node->outputs, random) : nullptr;
  return name ? *name : std::string();
}

void change_node(onnx::Graph& graph, Random& random) {
  constexpr const char* ops[] = {"GRU",
                                 "LSTM",
                                 "RNN",
                                 "MatMul",
                                 "Gemm",
                                 "Conv",
                                 "MaxPool",
                                 "GlobalAveragePool",
                                 "BatchNormalization",
                                 "LayerNormalization",
                                 "Gather",
                                 "Relu",
                                 "Clip",
                                 "Softmax",
                                 "Add",
                                 "Concat",
                                 "ReduceMean",
                                 "Identity",
                                 "Transpose",
                                 "Squeeze",
                                 "Unsqueeze",
                                 "Flatten",
                                 "Reshape",
                                 "Slice",
                                 "Shape",
                                 "Constant",
                                 "ConstantOfShape"};
  auto* node = one_of(graph.nodes, random);
  if (!node) return;
  switch (random() % 6) {
    case 0:
      node->op = ops[random() % std::size(ops)];
      break;
    case 1:
      if (auto* name = one_of(node->inputs, random)) *name = some_name(graph, random);
      break;
    case 2:
      node->inputs.push_back(some_name(graph, random));
      break;
    case 3:
      if (auto* a = one_of(node->attributes, random)) {
        a->i = number(random);
        if (auto* i = one_of(a->ints, random)) *i = number(random) % 7;
      }
      break;
    case 4: {
      const onnx::Node copy = *node;
      graph.nodes.insert(
          graph.nodes.begin() + static_cast<std::ptrdiff_t>(random() % (graph.nodes.size() + 1)),
          copy);
      break;
    }
    default:
      graph.nodes.erase(graph.nodes.begin() + (node - graph.nodes.data()));
  }
}

void change(onnx::Model& model, Random& random) {
  auto& graph = model.graph;
  switch (random() % 5) {
    case 0:
      if (auto* data = one_of(graph.initializers, random)) {
        if (auto* size = one_of(data->dims, random)) *size = number(random);
        if (random() % 4 == 0) data->type = static_cast<int>(random() % 17);
      }
      break;
    case 1:
      if (auto* input = one_of(graph.inputs, random)) {
        if (auto* axis = one_of(input->axes, random)) axis->size = number(random);
        if (random() % 4 == 0) input->axes.emplace_back();
      }
      break;
    case 2:
      for (auto& [key, text] : model.metadata) {
        if (!text.empty()) text[random() % text.size()] = "0123456789-,:\"{}[]"[random() % 18];
      }
      break;
    default:
      change_node(graph, random);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  {
    std::ofstream out(path(), std::ios::binary);
    out.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  }
  try {
    load_onnx(path());
  } catch (const Error&) {
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

// Most change the graph and put the file together again; the rest are of bytes.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  Random random(seed);
  try {
    if (random() % 4 == 0) return LLVMFuzzerMutate(data, size, most);
    std::vector<std::string> external;
    auto model = onnx::decode({reinterpret_cast<const char*>(data), size}, "input", external);
    for (auto count = 1 + random() % 3; count > 0; --count) change(model, random);
    const std::string bytes = onnx::encode(model, "input");
    if (bytes.size() > most) return LLVMFuzzerMutate(data, size, most);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(data));
    return bytes.size();
  } catch (const Error&) {
    return LLVMFuzzerMutate(data, size, most);
  }
}
