#include <doctest/doctest.h>

#include <cmath>
#include <maskgrad/layers/registry/registry.hpp>
#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_factory {
namespace {

struct ScaleOptions {
  double by = 1;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("by", o.by);
    f("name", o.name);
  }
};

/// A layer of one's own that lists its options.
class Scale {
 public:
  using Options = ScaleOptions;
  static constexpr std::string_view kind = "Scale";
  static constexpr MaskContract contract{.role = MaskRole::propagates, .why = "value by value"};

  explicit Scale(ScaleOptions options) : info(kind, options.name), options_(std::move(options)) {}
  Tensor forward(const Tensor& x) const { return x * options_.by; }
  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  ScaleOptions options_;
};

/// One that does not.
class Silent {
 public:
  static constexpr std::string_view kind = "Silent";
  static constexpr MaskContract contract{.role = MaskRole::propagates, .why = "value by value"};
  Tensor forward(const Tensor& x) const { return x; }
  LayerInfo info{kind, ""};
};

struct AllOptions {
  std::int64_t integer = 1;
  int narrow = 2;
  double real = 0.5;
  bool flag = false;
  std::string text = "a";
  std::optional<double> maybe = 3.0;
  std::vector<std::int64_t> list;
  Seed seed{4};
  Initializer initializer = "zeros";
  Reduction reduction = Reduction::mean;
  std::string activation = "tanh";

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("integer", o.integer);
    f("narrow", o.narrow);
    f("real", o.real);
    f("flag", o.flag);
    f("text", o.text);
    f("maybe", o.maybe);
    f("list", o.list);
    f("seed", o.seed);
    f("initializer", o.initializer);
    f("reduction", o.reduction);
    f("activation", o.activation);
  }
};

AllOptions all(std::string_view json) {
  return extend::read_options<AllOptions>("here", json);
}

std::string written(const AllOptions& options) {
  extend::OptionWriter writer;
  AllOptions::each_option(options, writer);
  return writer.json();
}

TEST_CASE("options of every type are read and written") {
  const std::string text =
      R"({"integer":-7,"narrow":5,"real":2.5,"flag":true,"text":"b","maybe":null,"list":[1,-2],)"
      R"("seed":18446744073709551615,"initializer":"orthogonal","reduction":"per_sequence",)"
      R"("activation":"relu"})";
  const auto options = all(text);
  CHECK(options.integer == -7);
  CHECK(!options.maybe);
  CHECK(options.list == std::vector<std::int64_t>{1, -2});
  CHECK(options.initializer.name() == "orthogonal");
  CHECK(options.reduction == Reduction::per_sequence);
  CHECK(written(options) == text);
  CHECK(written(all("{}")) == written(AllOptions{}));
  CHECK(all(R"({"activation": null})").activation == "linear");
  CHECK(all(R"({"real": 3})").real == 3);
  CHECK(std::isnan(all(R"({"real": "nan"})").real));
  CHECK(all(R"({"real": "-inf"})").real == -INFINITY);
  AllOptions odd;
  odd.real = INFINITY;
  CHECK(all(written(odd)).real == INFINITY);
}

TEST_CASE("options that do not fit say what is there and what was expected") {
  const auto refuses = [](const std::string& json, const std::string& a, const std::string& b) {
    CAPTURE(json);
    CHECK(throws<OptionError>([&] { all(json); }, a, b));
  };
  refuses(R"({"integer": "64"})", "here: the option .integer is the text \"64\"", "an integer");
  refuses(R"({"integer": 2.5})", "is 2.5", "expected an integer");
  refuses(R"({"integer": 9223372036854775808})", ".integer is 9223372036854775808", "an integer");
  refuses(R"({"narrow": 99999999999})", ".narrow is 99999999999", "a smaller number");
  refuses(R"({"integer": null})", "is null", "an integer");
  refuses(R"({"flag": 1})", ".flag is 1", "true or false");
  refuses(R"({"real": "much"})", ".real is the text \"much\"", "a number");
  refuses(R"({"text": [1]})", ".text is [1]", "a text");
  refuses(R"({"list": [1, "b"]})", ".list is [1,\"b\"]", "an array of integers");
  refuses(R"({"seed": -1})", ".seed is -1", "an integer of 0 or more");
  refuses(R"({"reduction": "men"})", "no reduction 'men'", "did you mean 'mean'?");
  refuses(R"({"initializer": "zero"})", "no initializer 'zero'", "did you mean 'zeros'?");
  refuses(R"({"flags": true})", "there is no option 'flags'", "did you mean 'flag'?");
  refuses(R"({"flag": true, "flag": false})", "'flag' twice", "");
  refuses("[1]", "the options are the JSON array", "expected an object");
  refuses("{", "no JSON", "expected an object");
  refuses("", "no JSON", "expected an object");
  refuses("{\"text\": \"\xff\"}", "no JSON", "UTF-8");
  refuses("{\"list\": " + std::string(100000, '['), "nested more than 1000 deep", "");
  CHECK(throws<OptionError>([] { make_layer("Dense", R"({"activation": "relu"})"); },
                            "Dense: the option .units is missing"));
  CHECK(throws<OptionError>([] { make_layer("Dense", R"({"unit": 3})"); },
                            "there is no option 'unit'; did you mean 'units'?"));
}

TEST_CASE("layers come from their name and options; unknown ones name the nearest") {
  AnyLayer layer = make_layer("GRU", R"({"units": 3, "return_sequences": true})");
  REQUIRE(layer.as<GRU>());
  CHECK(layer.as<GRU>()->options().units == 3);
  CHECK(layer.contract().role == MaskRole::supports);
  CHECK(make_layer("Masking").as<Masking>());
  CHECK(throws<OptionError>([] { make_layer("Gru"); }, "no layer 'Gru'", "did you mean 'GRU'?"));
  CHECK(throws<OptionError>([] { make_layer("Dense", R"({"units": 0})"); }, ".units is 0"));
  CHECK(throws<OptionError>([] { make_layer("Activation", R"({"activation": "rely"})"); },
                            "did you mean 'relu'?"));
  CHECK(
      throws<OptionError>([] { make_layer("Activation", R"({"activation": "tanh", "alpha": 2})"); },
                          "the option .alpha with the activation 'tanh'", "elu"));
}

TEST_CASE("every layer of the library is made by name from what it describes") {
  for (const auto& row : builtin_layers()) {
    const bool made = row.make != nullptr;
    CHECK_MESSAGE(made, std::string(row.kind));
  }
  const std::vector<AnyLayer> layers = {
      Masking{{.mask_value = NAN}},
      Embedding{{.input_dim = 3, .output_dim = 2}},
      Dense{{.units = 1, .name = "mine"}},
      Activation{{.activation = "gelu", .approximate = true}},
      Dropout{{.rate = 0.5, .seed = Seed{3}}},
      GRU{{.units = 2, .reset_after = false}},
      LSTM{{.units = 2}},
      SimpleRNN{{.units = 2}},
      Bidirectional{LSTM{{.units = 2}}, {.merge_mode = "sum"}},
      GlobalAveragePooling1D{{.keepdims = true}},
      GlobalSumPooling1D{{.data_format = "channels_first"}},
      LastStep{{.name = "end"}},
      Softmax{{.axis = 1}},
      Average{},
      Concatenate{{.axis = 1}},
      Dot{{.axes = 2, .normalize = true}},
      Dot{{.axes = {2, 1}}},
      RepeatVector{{.n = 3}},
      Permute{{.dims = {2, 1}}},
      Reshape{{.target_shape = {-1, 2}}},
      Flatten{},
      Reverse{},
      MaskedConv1D{{.filters = 1, .kernel_size = 2, .padding = "same"}},
      Conv1D{{.filters = 1, .kernel_size = 2}},
      DepthwiseConv1D{{.kernel_size = 2, .depth_multiplier = 3}},
      SeparableConv1D{{.filters = 1, .kernel_size = 2, .dilation_rate = 3}},
      Conv1DTranspose{{.filters = 1, .kernel_size = 2, .strides = 2, .output_padding = 1}},
      MaxPooling1D{{.pool_size = 3}},
      AveragePooling1D{{.strides = 1, .padding = "same"}},
      UpSampling1D{{.size = 3}},
      ZeroPadding1D{{.padding = {1, 2}}},
      Cropping1D{{.cropping = 2}},
  };
  for (const auto& layer : layers) {
    const auto text = detail::describe_any(layer);
    CHECK(detail::describe_any(detail::layer_from("test", text)) == text);
  }
  CHECK(describe(Dense{{.units = 1}}) ==
        R"({"class_name":"Dense","config":{"units":1,"activation":"linear","use_bias":true,)"
        R"("kernel_initializer":"glorot_uniform","bias_initializer":"zeros"}})");
}

TEST_CASE("a model describes itself and is rebuilt from that: same names, weights, outputs") {
  const Sequential model{
      Masking{},
      Sequential{GRU{{.units = 3, .return_sequences = true}}, Dropout{{.rate = 0.25}}},
      Bidirectional{GRU{{.units = 2}}},
      Dense{{.units = 1, .name = "head"}},
  };
  const auto text = describe(model);
  Sequential again = model_from(text), first = model;
  CHECK(describe(again) == text);
  const auto spec = Spec::f64({any, any, 2});
  first.build(spec, Seed{4});
  again.build(spec, Seed{4});
  const Tensor x = random_normal({2, 3, 2}, Seed{1}, DType::f64);
  CHECK(first.predict(x).to_vector<double>() == again.predict(x).to_vector<double>());
  REQUIRE(again.parameters().size() == first.parameters().size());
  CHECK(again.parameters().front().name() == first.parameters().front().name());
}

TEST_CASE("a description that is no model says why") {
  CHECK(
      throws<OptionError>([] { model_from(R"({"class_name": "Dense", "config": {"units": 1}})"); },
                          "describes a Dense", "expected a Sequential"));
  CHECK(throws<OptionError>([] { model_from(R"({"config": {}})"); }, ".class_name is missing"));
  CHECK(throws<OptionError>(
      [] { model_from(R"({"class_name": "Sequential", "config": {"layers": []}})"); },
      "it has no layers"));
  CHECK(throws<OptionError>(
      [] { model_from(R"({"class_name": "Sequential", "config": {"layers": [3]}})"); },
      "the JSON number", "expected an object"));
}

TEST_CASE("layers of one's own: registered they are made by name, without options they say so") {
  CHECK(throws<OptionError>([] { make_layer("Scale"); }, "no layer 'Scale'"));
  register_layer<Scale>();
  register_layer<Silent>();
  CHECK(make_layer("Scale", R"({"by": 3})").as<Scale>()->options().by == 3);
  CHECK(describe(model_from(describe(Sequential{Scale{{.by = 2}}}))).find("\"by\":2") !=
        std::string::npos);
  CHECK(throws<OptionError>([] { make_layer("Silent"); }, "Silent: it lists no options",
                            "each_option"));
  CHECK(throws<OptionError>([] { describe(Sequential{Silent{}}); }, "it lists no options"));
}

TEST_CASE("losses come from the name of their class or function") {
  const Tensor y = zeros({1, 2, 1}, DType::f64), p = full({1, 2, 1}, 3, DType::f64);
  CHECK(make_loss_function("MeanSquaredError")(y, p).value() == 9);
  CHECK(make_loss_function("mean_squared_error", R"({"reduction": "sum"})")(y, p).value() == 18);
  CHECK(throws<OptionError>([] { make_loss_function("MeanSquareError"); },
                            "no loss 'MeanSquareError'", "did you mean 'MeanSquaredError'?"));
  CHECK(throws<OptionError>([] { make_loss_function("mean_square_error"); },
                            "did you mean 'mean_squared_error'?"));
  CHECK(
      throws<OptionError>([] { make_loss_function("MeanSquaredError", R"({"redaction": "sum"})"); },
                          "did you mean 'reduction'?"));
}

TEST_CASE("optimizers come from their name") {
  const Parameter p(ones({2}, DType::f64), "p");
  const auto sgd = make_optimizer("SGD", {p}, R"({"learning_rate": 0.5})");
  p.set_grad(ones({2}, DType::f64));
  sgd->step();
  CHECK(p.value().item({0}) == 0.5);
  CHECK(make_optimizer("Adam", {p})->learning_rate() == 1e-3);
  CHECK(throws<OptionError>([&] { make_optimizer("Adan", {p}); }, "no optimizer 'Adan'",
                            "did you mean 'Adam'?"));
  CHECK(throws<OptionError>([&] { make_optimizer("Adam", {p}, R"({"beta1": 0.9})"); },
                            "no option 'beta1'; did you mean 'beta_1'?"));
}

}  // namespace
}  // namespace maskgrad::tests::test_factory
