#include <doctest/doctest.h>

#include <maskgrad/core/io/safetensors.hpp>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_model_file {
namespace {

TEST_CASE("a saved model loads by name and predicts the same under masks") {
  const files::TemporaryFolder folder;
  for (const auto dtype : {DType::f32, DType::f64}) {
    Sequential model{Masking{{.mask_value = 0.0}},
                     Bidirectional{GRU{{.units = 3, .return_sequences = true}}},
                     BatchNormalization{{}}, GlobalAveragePooling1D{{}}, Dense{{.units = 2}}};
    model.build(dtype == DType::f32 ? Spec::f32({any, any, 3}) : Spec::f64({any, any, 3}), Seed{4});
    set_trainable(model.layer(4), false);
    Tensor x = random_normal({4, 5, 3}, Seed{2}, dtype).with_mask(Mask::from_lengths({5, 2, 0, 3}));
    x = x.drop_mask("the padding is zeros, as Masking expects it");
    model(x);  // moves the statistics
    save_model(model, folder / "m.safetensors");
    Sequential loaded = load_model(folder / "m.safetensors");
    CHECK(loaded.predict(x).str() == model.predict(x).str());
    CHECK(weights_of(loaded) == weights_of(model));
    CHECK(!parameters(loaded.layer(4))[0].trainable());
    CHECK(parameters(loaded.layer(1))[0].trainable());
    CHECK(loaded.summary() == model.summary());
    AnyLayer any_kind = load_any_model(folder / "m.safetensors");
    CHECK(predict(any_kind, x).str() == model.predict(x).str());
  }
}

TEST_CASE("noise of a loaded model is that of the model, so that training goes on alike") {
  const files::TemporaryFolder folder;
  Sequential model = toy_model(DType::f32, {9});
  save_model(model, folder / "m.safetensors");
  Sequential loaded = load_model(folder / "m.safetensors");
  const Batches batches{toy_data()};
  SGD one{model.parameters()}, other{loaded.parameters()};
  fit(model, one, batches, {.loss = toy_loss, .epochs = 2, .progress = Progress::off});
  fit(loaded, other, batches, {.loss = toy_loss, .epochs = 2, .progress = Progress::off});
  CHECK(weights_of(loaded) == weights_of(model));
}

TEST_CASE("a Functional of ids and several inputs loads, and so does a layer by itself") {
  const files::TemporaryFolder folder;
  Functional model;
  const auto ids = model.input("ids"), more = model.input("more");
  const auto embedded =
      model.add(Embedding{{.input_dim = 5, .output_dim = 3, .mask_zero = true}}, {ids});
  const auto last = model.add(LSTM{{.units = 2}}, {embedded});
  model.outputs({model.add(Concatenate{}, {last, more}), last});
  model.build({Spec::ids({any, any}), Spec::f32({any, 2})}, Seed{3});
  save_model(model, folder / "f.safetensors");
  auto loaded = load_model<Functional>(folder / "f.safetensors");
  const Tensors inputs{tensor<std::int64_t>({1, 2, 0, 4, 0, 0}, {2, 3}), ones({2, 2})};
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(loaded.predict(inputs)[i].str() == model.predict(inputs)[i].str());
  }
  Dense dense{{.units = 2}};
  build(dense, Spec::f32({any, 3}), Seed{1});
  save_model(dense, folder / "d.safetensors", {Spec::f32({any, 3})}, Seed{1});
  auto again = load_model<Dense>(folder / "d.safetensors");
  CHECK(again(ones({1, 3})).str() == dense(ones({1, 3})).str());
}

TEST_CASE("load_weights reads a saved model") {
  const files::TemporaryFolder folder;
  const Sequential model = toy_model(), other = toy_model(DType::f32, {2});
  save_model(model, folder / "m.safetensors");
  load_weights(other, folder / "m.safetensors");
  CHECK(weights_of(other) == weights_of(model));
}

TEST_CASE("models and weights of which a bit changed are refused by name") {
  const files::TemporaryFolder folder;
  const Sequential model = toy_model(), other = toy_model();
  const auto before = weights_of(other);
  save_model(model, folder / "m.safetensors");
  save_weights(model, folder / "w.safetensors");
  save_weights(model, folder / "w.npz");
  for (const auto* name : {"m.safetensors", "w.safetensors", "w.npz"}) {
    const auto path = folder / name;
    auto bytes = files::load(path);
    bytes[bytes.size() - 1] ^= 1;  // of the weights; of a zip file, behind them
    files::save(path, bytes);
    CHECK(throws<FileError>([&] { load_weights(other, path); }, path.string()));
  }
  CHECK(throws<FileError>([&] { load_model(folder / "m.safetensors"); }, "m.safetensors",
                          "the checksum of the file is"));
  CHECK(weights_of(other) == before);
}

TEST_CASE("what saving and loading models refuse") {
  const files::TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  const Sequential model = toy_model();
  CHECK(throws<OptionError>([&] { save_model(model, folder / "m.npz"); },
                            "ends in '.npz'; expected .safetensors"));
  CHECK(throws<StateError>([&] { save_model(Sequential{Dense{{.units = 1}}}, path); },
                           "has no parameters yet"));
  save_weights(model, path);
  CHECK(throws<FileError>([&] { load_model(path); }, "is no model: its metadata have no",
                          "load_weights reads weights alone"));
  save_model(model, path);
  CHECK(throws<OptionError>([&] { load_model<Functional>(path); },
                            "holds a Sequential; expected a Functional"));
  const auto good = read_safetensors(path);
  const auto with = [&](std::string text) {
    write_safetensors(path, good.arrays, {{"maskgrad_model", text}});
  };
  with("{}");
  CHECK(throws<FileError>([&] { load_model(path); }, "does not say what model it holds"));
  with(R"({"version": 2})");
  CHECK(throws<FileError>([&] { load_model(path); }, "is of version 2; expected 1"));
  auto text = good.metadata.at("maskgrad_model");
  text.replace(text.find("\"GRU\""), 5, "\"MyGRU\"");
  with(text);
  CHECK(throws<OptionError>([&] { load_model(path); }, "there is no layer 'MyGRU'"));
  write_safetensors(path, {}, good.metadata);
  CHECK(throws<FileError>([&] { load_model(path); }, "load_model: ", "does not fit the model",
                          "missing: gru/kernel"));
  write_safetensors(path, {}, {{"maskgrad_checkpoint", "{}"}});
  CHECK(throws<FileError>([&] { load_model(path); }, "is a checkpoint of a training, and no model",
                          "then save_model"));
}

}  // namespace
}  // namespace maskgrad::tests::test_model_file
