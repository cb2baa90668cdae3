#include <doctest/doctest.h>

#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/io/safetensors.hpp>
#include <maskgrad/maskgrad.hpp>

#include "io/files.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_weights_file {
namespace {

using Values = std::vector<std::vector<double>>;

Sequential small(DType dtype = DType::f64, Seed seed = {1}) {
  Sequential model{GRU{{.units = 2, .return_sequences = true}}, Dense{{.units = 1}}};
  const Shape shape{any, any, 3};
  model.build(dtype == DType::f64 ? Spec::f64(shape) : Spec::f32(shape), seed);
  return model;
}

Values values_of(const Sequential& model) {
  Values all;
  for (const auto& p : model.parameters()) {
    all.push_back(cast(p.value(), DType::f64).to_vector<double>());
  }
  return all;
}

/// The arrays of `small()`, as a file holds them.
NamedArrays arrays_of_small() {
  const files::TemporaryFolder folder;
  save_weights(small(), folder / "w.npz");
  return read_npz(folder / "w.npz");
}

/// A model of the user's own whose two layers have one name.
struct Twins {
  Dense a{{.units = 1}}, b{{.units = 1}};
  Tensor operator()(const Tensor& x) { return a(x) + b(x); }
  static void each_layer(auto& self, auto&& f) {
    f("twin", self.a);
    f("twin", self.b);
  }
};

TEST_CASE("weights come back from each kind of file, in either type") {
  const files::TemporaryFolder folder;
  for (const std::string_view name : {"w.npz", "w.safetensors", "w.pt"}) {
    const Sequential saved = small(), loaded = small(DType::f64, {2});
    save_weights(saved, folder / name);
    CHECK(values_of(loaded) != values_of(saved));
    CHECK(load_weights(loaded, folder / name).loaded == 5);
    CHECK(values_of(loaded) == values_of(saved));

    const Sequential narrow = small(DType::f32, {2});
    load_weights(narrow, folder / name);
    save_weights(narrow, folder / name);
    load_weights(loaded, folder / name);
    CHECK(values_of(loaded) == values_of(narrow));
    CHECK(values_of(loaded)[0][0] == doctest::Approx(values_of(saved)[0][0]));
  }
  CHECK(read_npz(folder / "w.npz")[0].name == "gru/kernel");
}

TEST_CASE("one message lists all that does not fit, and nothing is changed") {
  const files::TemporaryFolder folder;
  NamedArrays arrays = arrays_of_small();
  arrays[1].name = "gru/other";
  arrays[3].array = files::array_of<double>({1, 2}, {1, 2});
  arrays[4].array = files::array_of<std::int64_t>({1}, {1});
  arrays.push_back({"more", files::array_of<double>({}, {1})});
  const auto path = folder / "w.safetensors";
  write_safetensors(path, arrays);

  const Sequential model = small(DType::f64, {2});
  const auto before = values_of(model);
  const auto load = [&] { load_weights(model, path); };
  CHECK(throws<FileError>(load, "load_weights: '" + path.string() + "' does not fit the model",
                          "nothing was changed", "missing: gru/recurrent_kernel\n",
                          "unexpected: gru/other, more\n",
                          "dense/kernel (the file has f64[1, 2], the model f64[2, 1])",
                          "dense/bias (the file has i64[1], the model f64[1])"));
  CHECK(throws<FileError>([&] { load_weights(model, path, {.strict = false}); }, "dense/kernel"));
  CHECK(values_of(model) == before);
}

TEST_CASE("not strict: what is there is loaded, and the rest is reported") {
  const files::TemporaryFolder folder;
  NamedArrays arrays = arrays_of_small();
  arrays[1].name = "gru/other";
  write_npz(folder / "w.npz", arrays);
  const Sequential model = small(DType::f64, {2});
  const auto report = load_weights(model, folder / "w.npz", {.strict = false});
  CHECK(report.loaded == 4);
  CHECK(report.missing == std::vector<std::string>{"gru/recurrent_kernel"});
  CHECK(report.unexpected == std::vector<std::string>{"gru/other"});
  CHECK(values_of(model)[0] == values_of(small())[0]);
}

TEST_CASE("names as Keras spells its paths load as they are") {
  const files::TemporaryFolder folder;
  NamedArrays arrays = arrays_of_small();
  arrays[0].name = "sequential/gru/gru_cell/kernel";
  arrays[1].name = "gru/gru_cell/recurrent_kernel";
  arrays[2].name = "gru/gru_cell/bias:0";
  arrays[3].name = "sequential/dense/kernel";
  write_npz(folder / "keras.npz", arrays);
  const Sequential model = small(DType::f64, {2});
  CHECK(load_weights(model, folder / "keras.npz").loaded == 5);
  CHECK(values_of(model) == values_of(small()));

  Sequential both{Bidirectional{GRU{{.units = 2}}}};
  both.build(Spec::f64({any, any, 3}));
  NamedArrays halves;
  for (const std::string half : {"forward", "backward"}) {
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string weight = arrays_of_small()[i].name.substr(4);
      halves.push_back({"bidirectional/" + half + "_gru/gru_cell/" + weight, arrays[i].array});
    }
  }
  write_npz(folder / "both.npz", halves);
  CHECK(load_weights(both, folder / "both.npz").loaded == 6);
}

TEST_CASE("a file that is not there, cut short, of another ending, or in a folder that refuses") {
  const files::TemporaryFolder folder;
  const Sequential model = small();
  const auto before = values_of(model);
  CHECK(throws<FileError>([&] { load_weights(model, folder / "none.npz"); }, "none.npz"));
  files::save(folder / "w.h5", "nothing that is known");
  CHECK(throws<OptionError>([&] { load_weights(model, folder / "w.h5"); }, "'.h5'",
                            "expected .safetensors, .npz or .pt"));
  CHECK(throws<OptionError>([&] { save_weights(model, folder / "w"); }, "ends in ''"));
  for (const std::string_view name : {"w.npz", "w.safetensors", "w.pt"}) {
    save_weights(model, folder / name);
    const auto whole = files::load(folder / name);
    for (const std::size_t left : {whole.size() - 1, whole.size() / 2, std::size_t{7}}) {
      files::save(folder / name, whole.substr(0, left));
      CHECK(throws<FileError>([&] { load_weights(model, folder / name); }, std::string(name)));
    }
  }
  CHECK(throws<FileError>([&] { save_weights(model, folder / "no/such/w.npz"); }, "no/such"));
  CHECK(throws<FileError>([&] { save_weights(model, "/proc/w.npz"); }, "/proc/w.npz"));
  CHECK(values_of(model) == before);
}

TEST_CASE("two parameters of one name are refused before anything is written") {
  const files::TemporaryFolder folder;
  Twins twins;
  build(twins, Spec::f64({any, 2}));
  CHECK(throws<OptionError>([&] { save_weights(twins, folder / "w.npz"); }, "'twin/kernel'"));
  CHECK(folder.count() == 0);
}

}  // namespace
}  // namespace maskgrad::tests::test_weights_file
