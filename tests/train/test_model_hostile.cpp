#include <doctest/doctest.h>

#include <maskgrad/core/io/safetensors.hpp>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_model_hostile {
namespace {

constexpr const char* key = "maskgrad_model";

std::string nest(std::size_t depth, char open = '[', char close = ']') {
  return std::string(depth, open) + std::string(depth, close);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// A saved Dense whose description can be changed.
struct SavedDense {
  SavedDense() {
    Sequential model{Dense{{.units = 2, .name = "d"}}};
    model.build(Spec::f32({any, 3}), Seed{1});
    save_model(model, path);
    file = read_safetensors(path);
  }
  /// Loads the file with this text instead.
  void load(const std::string& text, const LoadModelOptions& options = {}) {
    write_safetensors(path, file.arrays, {{key, text}});
    load_any_model(path, options);
  }
  const std::string& text() const { return file.metadata.at(key); }

  files::TemporaryFolder folder;
  std::filesystem::path path = folder / "m.safetensors";
  Safetensors file;
};

/// `{"class_name": "Sequential", "config": {"layers": [...]}}`, `depth` times around a Dense.
std::string nested_text(int depth, const std::string& options = R"({"units": 2})") {
  std::string front, back;
  for (int i = 0; i < depth; ++i) {
    front += R"({"class_name": "Sequential", "config": {"layers": [)";
    back += "]}}";
  }
  return front + R"({"class_name": "Dense", "config": )" + options + "}" + back;
}

AnyLayer nested_model(int depth) {
  AnyLayer model = Dense{{.units = 2}};
  for (int i = 0; i < depth; ++i) model = Sequential(std::vector<AnyLayer>{std::move(model)});
  return model;
}

TEST_CASE("JSON that is nested without end is refused in whatever field it stands") {
  SavedDense saved;
  for (const std::size_t depth : {2000, 200'000}) {
    for (const std::string& hostile :
         {nest(depth), std::string(depth, '['), replaced(nest(depth), "[[", "[{\"a\":["),
          std::string(depth, '{')}) {
      for (const char* field : {"\"version\":1", "\"mask_axes\":-1", "\"dtype\":\"f32\"",
                                "\"frozen\":[]", "\"units\":2", "\"class_name\":\"Sequential\""}) {
        CAPTURE(field);
        const std::string name(field, std::string(field).find(':') + 1);
        CHECK(throws<Error>([&] { saved.load(replaced(saved.text(), field, name + hostile)); },
                            "does not say what model it holds"));
      }
      CHECK(throws<FileError>([&] { saved.load(hostile); }, "does not say what model it holds"));
    }
  }
  CHECK(throws<FileError>([&] { saved.load(nest(2000)); },
                          "it is nested more than 1000 deep; JsonLimits::depth raises that"));
  CHECK(throws<OptionError>([] { model_from(nest(100'000)); }, "nested more than 1000 deep"));
  CHECK(throws<OptionError>([] { make_layer("Dense", nest(100'000)); }, "more than 1000 deep"));
  CHECK(throws<OptionError>([] { schedule_from(nest(100'000)); }, "more than 1000 deep"));
  CHECK(
      throws<OptionError>([] { make_loss_function("mse", nest(100'000)); }, "more than 1000 deep"));
  CHECK(throws<OptionError>([] { make_metric("Mean", nest(100'000)); }, "more than 1000 deep"));
}

TEST_CASE("a part of JSON is taken where nobody else holds it, and else copied") {
  extend::OptionWriter inner;
  inner("units", std::int64_t{3});
  const extend::JsonPart part = inner.part();
  extend::JsonPart second = part;
  std::vector<extend::JsonPart> several{part, second};
  extend::OptionWriter writer;
  writer("a", extend::JsonPart(part));
  writer("b", second);
  writer("c", std::move(several));
  writer("d", std::move(second));
  writer("e", part);
  const std::string one = R"({"units":3})";
  CHECK(writer.json() == R"({"a":)" + one + R"(,"b":)" + one + R"(,"c":[)" + one + "," + one +
                             R"(],"d":)" + one + R"(,"e":)" + one + "}");
  extend::OptionWriter more;
  extend::OptionWriter alone;
  alone("units", std::int64_t{4});
  more("only", alone.part());
  CHECK(more.json() == R"({"only":{"units":4}})");
}

TEST_CASE("counts are bounded, and all bounds can be raised") {
  SavedDense saved;
  const auto& text = saved.text();
  CHECK(throws<FileError>([&] { saved.load(text, {.limits = {.values = 5}}); },
                          "it holds more than 5 values; JsonLimits::values raises that"));
  CHECK(throws<FileError>([&] { saved.load(text, {.limits = {.depth = 3}}); },
                          "it is nested more than 3 deep; JsonLimits::depth raises that"));
  CHECK(throws<FileError>([&] { saved.load(text, {.limits = {.layers = 1}}); },
                          "it describes more than 1 layers; JsonLimits::layers raises that"));
  saved.load(text, {.limits = {.depth = 9, .values = 100, .layers = 2}});
  const std::vector<AnyLayer> dense(20'000, AnyLayer(Dense{{.units = 1}}));
  const Sequential many(dense);
  CHECK(throws<OptionError>(
      [&] {
        describe(Sequential(std::vector<AnyLayer>{many, many}));
      },
      "the JSON could not be read again: it describes more than 20000 layers; "
      "JsonLimits::layers raises that"));
  const std::string deep = nested_text(400);
  CHECK(throws<OptionError>([&] { model_from(deep); }, "nested more than 1000 deep"));
  const JsonLimitsScope scope({.depth = 2000});
  CHECK(model_from(deep).size() == 1);
}

TEST_CASE("models nested in one another load in a time that goes by their size") {
  SavedDense saved;
  const auto begin = saved.text().find("{\"class_name\":\"Sequential\"");
  const auto end = saved.text().find(",\"inputs\"");
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const auto with = [&](const std::string& model) {
    return saved.text().substr(0, begin) + model + saved.text().substr(end);
  };
  // The weights are those of another model, which is seen when this one was built.
  for (const int depth : {20, 100, 300}) {
    CHECK(throws<FileError>([&] { saved.load(with(nested_text(depth))); }, "does not fit the model",
                            "missing: sequential/sequential/"));
  }
}

TEST_CASE("no weight is made that the file does not hold") {
  SavedDense saved;
  for (const char* units : {"1000000000", "4611686018427387904", "9223372036854775807", "100000"}) {
    CHECK(throws<Error>([&] {
      saved.load(replaced(saved.text(), "\"units\":2", std::string("\"units\":") + units));
    }));
  }
  CHECK(throws<FileError>(
      [&] { saved.load(replaced(saved.text(), "\"units\":2", "\"units\":1000000000")); },
      "describes a weight d/kernel [3, 1000000000], and holds 8 values for all of its weights, of "
      "which 8 are left; nothing was made"));
  CHECK(throws<Error>(
      [&] { saved.load(replaced(saved.text(), "[null,3]", "[null,1000000000000]")); }));
}

TEST_CASE("inputs, seed and frozen weights are read strictly") {
  SavedDense saved;
  const auto refused = [&](const std::string& from, const std::string& to, const char* part) {
    CAPTURE(to);
    CHECK(throws<FileError>([&] { saved.load(replaced(saved.text(), from, to)); },
                            "does not say what model it holds", part));
  };
  refused("\"mask_axes\":-1", "\"mask_axes\":1.5", "expected an integer");
  refused("\"mask_axes\":-1", "\"mask_axes\":4294967296", "expected a smaller number");
  refused("\"mask_axes\":-1", "\"mask_axes\":7", "a mask over 7 axes");
  refused("\"dtype\":\"f32\"", "\"dtype\":\"f16\"", "'f16'; expected f32, f64 or i64");
  refused("[null,3]", "[null,-3]", "-3");
  refused("[null,3]", "[null,3,1,1,1,1,1,1,1]", "axes");
  refused("\"seed\":1", "\"seed\":-1", "expected an integer of 0 or more");
  refused("\"frozen\":[]", "\"frozen\":[1]", "an array of texts");
  refused("\"shared\":[]", "\"shared\":[\"a\"]", "expected pairs");
  refused("\"frozen\"", "\"frozem\"", "frozem");
}

TEST_CASE("what can be saved can be loaded: deep, long, and layers with weights in common") {
  const files::TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  AnyLayer deep = nested_model(300);
  build(deep, Spec::f32({any, 3}), Seed{2});
  save_model(deep, path);
  AnyLayer again = load_any_model(path);
  CHECK(weights_of(again) == weights_of(deep));
  // Deeper than the limit is refused where it is saved, not where it is read.
  AnyLayer deeper = nested_model(340);
  build(deeper, Spec::f32({any, 3}), Seed{2});
  CHECK(throws<OptionError>([&] { save_model(deeper, path); },
                            "could not be read again: it is nested more than 1000 deep"));
  {
    const JsonLimitsScope scope({.depth = 2000});
    save_model(deeper, path);
  }
  CHECK(throws<FileError>([&] { load_any_model(path); }, "nested more than 1000 deep"));
  CHECK(load_any_model(path, {.limits = {.depth = 2000}}).kind() == "Sequential");

  std::vector<AnyLayer> many(2000, Dense{{.units = 1}});
  Sequential chain(many);
  chain.build(Spec::f32({any, 1}), Seed{3});
  save_model(chain, path);
  CHECK(weights_of(load_model(path)) == weights_of(chain));
}

TEST_CASE("weights that layers have in common are so again") {
  const files::TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  for (const auto dtype : {DType::f32, DType::f64}) {
    Dense dense{{.units = 3}};
    LSTM lstm{{.units = 3, .return_sequences = true}};
    const auto spec = dtype == DType::f32 ? Spec::f32({any, any, 3}) : Spec::f64({any, any, 3});
    build(dense, spec, Seed{1});
    build(lstm, spec, Seed{2});
    Sequential model{dense, lstm, Sequential{dense, lstm}, dense};
    model.build(spec, Seed{3});
    REQUIRE(parameters(model).size() == 5);
    save_model(model, path);
    Sequential loaded = load_model(path);
    REQUIRE(parameters(loaded).size() == 5);
    const Tensor x = random_normal({2, 4, 3}, Seed{4}, dtype);
    CHECK(loaded.predict(x).str() == model.predict(x).str());
    for (auto* m : {&model, &loaded}) {
      for (const auto& p : parameters(*m)) p.set(p.value() * 0.5);
    }
    CHECK(loaded.predict(x).str() == model.predict(x).str());
    save_model(loaded, folder / "again.safetensors");
    CHECK(read_safetensors(folder / "again.safetensors").metadata ==
          read_safetensors(path).metadata);
  }
  const auto file = read_safetensors(path);
  const auto text = replaced(file.metadata.at(key), "\"dense_1/kernel\",\"dense/kernel\"",
                             "\"dense_1/kernel\",\"dense/bias\"");
  write_safetensors(path, file.arrays, {{key, text}});
  CHECK(throws<FileError>([&] { load_model(path); }, "says that the weight dense_1/kernel"));
}

TEST_CASE("layers of any name can be saved, and names that no file can keep are refused") {
  const files::TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  for (const std::string& name :
       std::vector<std::string>{"größe", "層", "a.b", "..", " ", "a\tb\nc", "\x1b[31m", "\"", "\\",
                                "'", "a:0", "gru_cell", "forward_gru", "__metadata__", "carried",
                                "0", "dense_1", "\xF0\x9F\x98\x80"}) {
    CAPTURE(name);
    Sequential model{Dense{{.units = 2, .name = name}}, Dense{{.units = 2}}};
    model.build(Spec::f32({any, 3}), Seed{1});
    save_model(model, path);
    Sequential loaded = load_model(path);
    CHECK(weights_of(loaded) == weights_of(model));
    CHECK(loaded.layer(0).info().name == name);
    load_weights(loaded, path);
    Adam adam{loaded.parameters()};
    adam.set_state(adam.state_arrays());
  }
  for (const std::string& name : {std::string("a\xff"), std::string("a\0b", 3), std::string("\xC3"),
                                  std::string("\xED\xA0\x80")}) {
    CHECK(throws<OptionError>([&] { Dense{{.units = 2, .name = name}}; },
                              "is no UTF-8, or holds a NUL, which no file could keep"));
  }
  CHECK(throws<OptionError>([] { Dense{{.units = 2, .name = "a/b"}}; }, "holds a '/'"));
}

TEST_CASE("a loaded model of any kind keeps the inputs it was saved with") {
  const files::TemporaryFolder folder;
  const auto path = folder / "m.safetensors";
  GRU gru{{.units = 2}};
  const std::vector<Spec> specs{Spec::f64({any, 7, 3}).masked(2)};
  build(gru, specs, Seed{5});
  save_model(gru, path, specs, Seed{5});
  AnyLayer loaded = load_any_model(path);
  REQUIRE(loaded.built_with() != nullptr);
  CHECK(loaded.built_with()->inputs.at(0).shape() == Shape{any, 7, 3});
  CHECK(loaded.built_with()->inputs.at(0).dtype() == DType::f64);
  CHECK(loaded.built_with()->inputs.at(0).mask_axes() == 2);
  CHECK(loaded.built_with()->seed.value == 5);
  CHECK(mask_flow(loaded).table() == mask_flow(gru, specs).table());
  CHECK(summary(loaded) == summary(gru, specs));
  save_model(loaded, folder / "again.safetensors");
  CHECK(read_safetensors(folder / "again.safetensors").metadata == read_safetensors(path).metadata);
  AnyLayer fresh = GRU{{.units = 2}};
  CHECK(throws<StateError>([&] { mask_flow(fresh); }, "it is not known what inputs",
                           "build(model, Spec)"));
  CHECK(throws<StateError>([&] { save_model(fresh, path); }, "it is not known what inputs"));
}

}  // namespace
}  // namespace maskgrad::tests::test_model_hostile
