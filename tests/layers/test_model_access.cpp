#include <doctest/doctest.h>

#include <filesystem>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_model_access {
namespace {

using Values = std::vector<double>;

TEST_CASE("a layer by its position, its name or its type, and what is there where it is not") {
  Sequential model{Masking{}, GRU{{.units = 2, .name = "encode"}}, Dense{{.units = 1}}};
  CHECK(model.layer(1).as<GRU>()->options().units == 2);
  CHECK(&model.layer("encode") == &model.layer(1));
  CHECK(&model.layer<GRU>() == model.layer(1).as<GRU>());
  CHECK(model.layer(2).is<Dense>());
  CHECK(model.layer(2).as_if<GRU>() == nullptr);
  const std::string all = "it has 3: 0 'masking' (Masking), 1 'encode' (GRU), 2 'dense' (Dense)";
  for (const std::int64_t i : {-1, 3}) {
    CHECK(throws<IndexError>([&] { model.layer(i); },
                             "Sequential: there is no layer " + std::to_string(i), all));
  }
  CHECK(throws<IndexError>([&] { model.layer("gru"); }, "there is no layer 'gru'; " + all));
  CHECK(throws<TypeError>([&] { model.layer(1).as<Dense>(); },
                          "as: the layer 'encode' is a GRU, not a Dense"));
  CHECK(
      throws<TypeError>([&] { model.layer<LSTM>(); }, "0 of its layers are a LSTM; expected one"));
  AnyLayer whole = model;
  CHECK(throws<TypeError>([&] { whole.as<GRU>(); }, "'sequential' is a Sequential, not a GRU",
                          "It holds 'sequential/masking' (Masking), 'sequential/encode' (GRU)"));

  Functional functional;
  const auto x = functional.input();
  const auto head = functional.layer(Dense{{.units = 1, .name = "head"}});
  functional.outputs({functional.call(head, {x})});
  CHECK(functional.layer("head").as<Dense>()->options().units == 1);
  CHECK(&functional.layer(head) == &functional.layer(0));
  CHECK(functional.layer<Dense>().options().units == 1);
  CHECK(throws<IndexError>([&] { functional.layer("tail"); },
                           "Functional: there is no layer 'tail'; it has 1: 0 'head' (Dense)"));
  CHECK(throws<IndexError>([&] { functional.layer(1); }, "there is no layer 1"));
}

TEST_CASE("names are those that Keras gives") {
  const std::vector<std::pair<std::string, std::string>> names{
      {"Conv1D", "conv1d"},
      {"Conv1DTranspose", "conv1d_transpose"},
      {"SeparableConv1D", "separable_conv1d"},
      {"DepthwiseConv1D", "depthwise_conv1d"},
      {"MaskedConv1D", "masked_conv1d"},
      {"GlobalAveragePooling1D", "global_average_pooling1d"},
      {"UpSampling1D", "up_sampling1d"},
      {"SpatialDropout1D", "spatial_dropout1d"},
      {"GRU", "gru"},
      {"LSTMCell", "lstm_cell"},
      {"SimpleRNN", "simple_rnn"},
      {"StackedRNNCells", "stacked_rnn_cells"},
      {"RMSNormalization", "rms_normalization"},
      {"PReLU", "p_re_lu"},
      {"LeakyReLU", "leaky_re_lu"},
      {"ReLU", "re_lu"},
      {"MultiHeadAttention", "multi_head_attention"},
      {"My2Layer", "my2_layer"},
      {"Block<Dense>", "block_dense"},
      {"Conv2D3", "conv2d3"}};
  for (const auto& row : names) {
    CAPTURE(row.first);
    CHECK(detail::snake_case(row.first) == row.second);
  }
}

TEST_CASE("weights under the names of before are loaded: conv1_d for conv1d") {
  Sequential model{Conv1D{{.filters = 2, .kernel_size = 2}}, Dense{{.units = 1}},
                   Conv1D{{.filters = 1, .kernel_size = 1}}};
  model.build(Spec::f32({any, any, 3}), Seed{1});
  Sequential other{Conv1D{{.filters = 2, .kernel_size = 2}}, Dense{{.units = 1}},
                   Conv1D{{.filters = 1, .kernel_size = 1}}};
  other.build(Spec::f32({any, any, 3}), Seed{2});
  auto old = named_parameters(model);
  for (auto& p : old) {
    if (const auto at = p.name.find("conv1d"); at != std::string::npos) p.name.insert(at + 5, "_");
  }
  CHECK(old[0].name == "conv1_d/kernel");
  CHECK(old[4].name == "conv1_d_1/kernel");
  const auto path = std::filesystem::temp_directory_path() / "maskgrad_old_names.safetensors";
  save_weights(old, path);
  CHECK(load_weights(other, path).loaded == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(other.parameters()[i].value().to_vector<float>() ==
          model.parameters()[i].value().to_vector<float>());
  }
  std::filesystem::remove(path);
}

/// Takes two tensors, and is const where it predicts.
struct Pair {
  Dense left{{.units = 2}}, right{{.units = 2}};
  Sequential head{Dense{{.units = 1}}, Dropout{{.rate = 0.5}}};

  Tensor operator()(const Tensors& xs) { return head(left(xs[0]) + right(xs[1])); }
  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("left", self.left);
    f("right", self.right);
    f("head", self.head);
  }
};
static_assert(Model<Pair>);

TEST_CASE("a class that takes several tensors is a model, and a const one predicts") {
  Pair pair;
  build(pair, {Spec::f64({any, 3}), Spec::f64({any, 4})}, Seed{1});
  CHECK(named_parameters(pair).size() == 6);
  const Tensors xs{random_normal({5, 3}, Seed{1}, DType::f64),
                   random_normal({5, 4}, Seed{2}, DType::f64)};
  const auto report = gradcheck(pair, xs);
  CHECK_MESSAGE(report, report.str());
  const Pair& fixed = pair;
  const Values expected = predict(pair, xs)[0].to_vector<double>();
  CHECK(predict(fixed, xs)[0].to_vector<double>() == expected);

  const Sequential head = pair.head;
  const Tensor x = random_normal({5, 2}, Seed{3}, DType::f64);
  CHECK(head.predict(x).to_vector<double>() == pair.head.predict(x).to_vector<double>());
  CHECK(throws<StateError>([&] { head(x); }, "it is const, so it can predict and not be trained"));
  {
    const Evaluate evaluate;
    CHECK(head(x).to_vector<double>() == pair.head.predict(x).to_vector<double>());
  }
  Sequential carries{GRU{{.units = 2, .return_sequences = true, .stateful = true}},
                     Dense{{.units = 1}}};
  carries.build(Spec::f64({any, any, 2}), Seed{1});
  const Sequential& held = carries;
  CHECK(throws<OptionError>(
      [&] {
        held.predict(ones({1, 2, 2}, DType::f64));
      },
      "predict: the model is const, and GRU 'gru' carries its state"));
}

}  // namespace
}  // namespace maskgrad::tests::test_model_access
