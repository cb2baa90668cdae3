// make_onnx_seeds FOLDER: small ONNX files of this library and as others write them, for the fuzzer
// to begin with.
#include <fstream>

#include <maskgrad/maskgrad.hpp>

#include "onnx/foreign.hpp"

int main(int count, char** values) {
  using namespace maskgrad;
  if (count != 2) return 2;
  const std::filesystem::path folder = values[1];
  Sequential tagger{Masking{}, GRU{{.units = 2, .return_sequences = true}},
                    MaskedConv1D{{.filters = 2, .kernel_size = 2, .padding = "causal"}},
                    BatchNormalization{}, Dense{{.units = 1}}};
  tagger.build(Spec::f32({any, any, 2}), Seed{1});
  save_onnx(tagger, folder / "own.onnx");
  int number = 0;
  for (const auto& file : tests::foreign_files()) {
    std::ofstream(folder / (std::to_string(number++) + ".onnx"), std::ios::binary)
        << onnx::encode(file.model, "make_onnx_seeds");
  }
  return 0;
}
