// make_keras_seeds FOLDER: small Keras files of both containers, for the fuzzer to begin with.
#include "keras/keras_files.hpp"

namespace {

using keras_files::numbers;

const std::string layers =
    R"([{"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [null, 4, 2]}},
        {"class_name": "Masking", "config": {"name": "m", "mask_value": 0.0}},
        {"class_name": "GRU", "config": {"name": "gru", "units": 2, "return_sequences": true, "reset_after": true}},
        {"class_name": "Conv1D", "config": {"name": "conv", "filters": 2, "kernel_size": [2], "padding": "same"}},
        {"class_name": "Dense", "config": {"name": "out", "units": 1, "activation": "sigmoid"}}])";
const std::string config =
    R"({"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": )" +
    layers + "}}";

}  // namespace

int main(int count, char** values) {
  if (count != 2) return 2;
  const std::filesystem::path folder = values[1];
  const auto gru = {numbers({2, 6}, 1), numbers({2, 6}, 2), numbers({2, 6}, 3)};
  const auto* g = gru.begin();
  files::save(
      folder / "a.h5",
      keras_files::h5(config, "3.1.0",
                      {{"gru", {{"gru/kernel", g[0]}, {"gru/rk", g[1]}, {"gru/bias", g[2]}}},
                       {"conv", {{"c/kernel", numbers({2, 2, 2}, 4)}, {"c/bias", numbers({2}, 5)}}},
                       {"out", {{"o/kernel", numbers({2, 1}, 6)}, {"o/bias", numbers({1}, 7)}}}}));
  files::save(folder / "a.keras", keras_files::zip(config, "3.1.0",
                                                   {{"layers/gru/cell/vars/0", g[0]},
                                                    {"layers/gru/cell/vars/1", g[1]},
                                                    {"layers/gru/cell/vars/2", g[2]},
                                                    {"layers/conv1d/vars/0", numbers({2, 2, 2}, 4)},
                                                    {"layers/conv1d/vars/1", numbers({2}, 5)},
                                                    {"layers/dense/vars/0", numbers({2, 1}, 6)},
                                                    {"layers/dense/vars/1", numbers({1}, 7)}}));
  return 0;
}
