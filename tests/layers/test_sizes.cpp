#include <doctest/doctest.h>

#include <fmt/format.h>

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::tests::test_sizes {
namespace {

/// Layers whose options are sizes; N is the hostile one.
struct Sized {
  std::string_view kind, options;
  std::int64_t features = 4;  ///< 0: ids
};

const std::vector<Sized>& sized() {
  static const std::vector<Sized> all{
      {"Dense", R"({"units": N})"},
      {"EinsumDense", R"({"equation": "btf,fg->btg", "output_shape": [null, N]})"},
      {"Embedding", R"({"input_dim": N, "output_dim": 1024})", 0},
      {"Embedding", R"({"input_dim": 1024, "output_dim": N})", 0},
      {"GRU", R"({"units": N})"},
      {"LSTM", R"({"units": N, "return_sequences": true})"},
      {"SimpleRNN", R"({"units": N})"},
      {"Conv1D", R"({"filters": N, "kernel_size": 3})"},
      {"Conv1D", R"({"filters": 1024, "kernel_size": N, "padding": "same"})"},
      {"MaskedConv1D", R"({"filters": N, "kernel_size": 3})"},
      {"DepthwiseConv1D", R"({"kernel_size": 3, "depth_multiplier": N})"},
      {"SeparableConv1D", R"({"filters": 2, "kernel_size": 3, "depth_multiplier": N})"},
      {"Conv1DTranspose", R"({"filters": N, "kernel_size": 3})"},
      {"Conv1DTranspose", R"({"filters": 1024, "kernel_size": N})"},
      {"Conv1DTranspose", R"({"filters": 2, "kernel_size": 3, "strides": N})"},
      {"RepeatVector", R"({"n": N})", -4},
      {"UpSampling1D", R"({"size": N})"},
      {"ZeroPadding1D", R"({"padding": [N, N]})"},
      {"Cropping1D", R"({"cropping": [N, 0]})"},
      {"MultiHeadAttention", R"({"num_heads": N, "key_dim": N})"},
      {"MultiHeadAttention", R"({"num_heads": 2, "key_dim": N})"},
      {"TransformerEncoder", R"({"intermediate_dim": N, "num_heads": 2})"},
      {"PositionEmbedding", R"({"sequence_length": N})"},
  };
  return all;
}

std::string with(std::string_view options, std::int64_t n) {
  std::string text(options);
  for (auto at = text.find('N'); at != text.npos; at = text.find('N', at)) {
    text.replace(at, 1, std::to_string(n));
  }
  return text;
}

/// What is said, empty where all went well.
std::string answer(const Sized& layer, std::int64_t n) {
  try {
    Sequential model{std::vector<AnyLayer>{make_layer(layer.kind, with(layer.options, n))}};
    const auto features = layer.features;
    const Tensor x = features == 0  ? zeros({2, 3}, DType::i64)
                     : features < 0 ? zeros({2, -features})
                                    : zeros({2, 3, features});
    model.build(features == 0  ? Spec::ids({any, any})
                : features < 0 ? Spec::f32({any, -features})
                               : Spec::f32({any, any, features}),
                Seed{1});
    model(x);
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

bool has_negative(const std::string& text) {
  const auto digit = [&](std::size_t i) {
    return i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-' && digit(i + 1) && digit(i + 2)) return true;
  }
  return false;
}

}  // namespace

TEST_SUITE("sizes") {
  TEST_CASE("options that no machine has room for are refused with a text, never otherwise") {
    for (const auto& layer : sized()) {
      for (const std::int64_t n : {std::int64_t{2147483647}, std::int64_t{1} << 40,
                                   std::int64_t{1} << 62, std::int64_t{9223372036854775807}}) {
        const auto text = answer(layer, n);
        CAPTURE(layer.kind);
        CAPTURE(layer.options);
        CAPTURE(n);
        CAPTURE(text);
        CHECK(!text.empty());
        CHECK_FALSE(has_negative(text));
      }
    }
  }

  TEST_CASE("the texts") {
    CHECK(answer({"Dense", R"({"units": N})"}, std::int64_t{1} << 40) ==
          "Dense: the option .units is 1099511627776; expected 1 to 2147483647");
    CHECK(answer({"Dense", R"({"units": N})"}, 2147483647)
              .find("f32[4, 2147483647] needs 34359738352 bytes, which the system does not give") !=
          std::string::npos);
  }

  TEST_CASE("a model whose build found no memory is built with smaller ones afterwards") {
    Sequential model{Dense{{.units = 3}}};
    model.build(Spec::f32({any, 4}), Seed{1});
    const auto before = memory::stats().bytes_in_use;
    CHECK(!answer({"LSTM", R"({"units": N})"}, 2147483647).empty());
    CHECK(memory::stats().bytes_in_use == before);
    CHECK(model(zeros({2, 4})).shape() == Shape{2, 3});
  }
}

}  // namespace maskgrad::tests::test_sizes
