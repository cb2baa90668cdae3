#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_window_layers {
namespace {

using Values = std::vector<double>;

struct Refusal {
  const char* kind;
  const char* options;
  const char* why;
  std::vector<const char*> ways_out;
};

Sequential model_of(const char* kind, const char* options) {
  return Sequential(std::vector<AnyLayer>{make_layer(kind, options)});
}

const std::vector<Refusal>& refusals() {
  static const std::vector<Refusal> all{
      {"Conv1D",
       R"({"filters": 2, "kernel_size": 3})",
       "a window mixes neighboring steps, so padding would leak",
       {"MaskedConv1D (each sequence convolved as if alone)", "to convolve the padding as data"}},
      {"DepthwiseConv1D",
       R"({"kernel_size": 3})",
       "a window mixes neighboring steps, so padding would leak",
       {"MaskedConv1D with .groups = features", "to convolve the padding as data"}},
      {"SeparableConv1D",
       R"({"filters": 2, "kernel_size": 3})",
       "a window mixes neighboring steps, so padding would leak",
       {"MaskedConv1D with .groups = features, then Dense", "to convolve the padding as data"}},
      {"Conv1DTranspose",
       R"({"filters": 2, "kernel_size": 3})",
       "each step is added to neighboring ones, so padding would leak",
       {"MaskedConv1D", "without more steps", "to convolve the padding as data"}},
      {"MaxPooling1D",
       "{}",
       "padding could be the greatest",
       {"MaskedMaxPooling1D (each sequence pooled as if alone)", "to pool the padding as data"}},
      {"AveragePooling1D",
       "{}",
       "a window mixes neighboring steps, so padding would leak",
       {"MaskedAveragePooling1D", "to pool the padding as data"}},
      {"UpSampling1D",
       "{}",
       "it repeats steps by their positions",
       {"UpSampling1D before Masking", "to repeat the padding as data"}},
      {"ZeroPadding1D",
       "{}",
       "zeros put around the padding are not at the ends of the sequences",
       {"MaskedConv1D with .padding same or causal", "ZeroPadding1D before Masking"}},
      {"Cropping1D",
       "{}",
       "it cuts by position",
       {"Cropping1D before Masking", "slice(x, 1, start, stop)", "to cut the padding as data"}},
  };
  return all;
}

TEST_CASE("layers that take steps by position refuse a mask over them in build") {
  for (const auto& r : refusals()) {
    Sequential model(std::vector<AnyLayer>{Masking{}, make_layer(r.kind, r.options)}, "net");
    const auto build = [&] { model.build(Spec::f32({any, any, 4}), Seed{1}); };
    const std::string start = std::string(r.kind) + " 'net/";
    CHECK(throws<MaskError>(build, start, "does not accept a mask (unsupported: ", r.why,
                            "f32[any, any, 4], mask [any, any] made by Masking 'net/masking'",
                            "ways out: ", "x.drop_mask(\"why\")"));
    for (const char* way : r.ways_out) CHECK(throws<MaskError>(build, way));
    Sequential whole = model_of(r.kind, r.options);
    CHECK(throws<MaskError>(
        [&] {
          maskgrad::build(whole, Spec::f32({any, any, 4}).masked(3));
        },
        "does not accept a mask", r.why));
  }
}

TEST_CASE("they work under a mask [batch], which goes on") {
  const Tensor x =
      random_normal({3, 6, 4}, Seed{2}).with_mask(Mask::keep({true, false, true}, {3}));
  for (const auto& r : refusals()) {
    CAPTURE(r.kind);
    Sequential layer = model_of(r.kind, r.options);
    build(layer, Spec::f32({any, any, 4}).masked(1));
    CHECK(call(layer, Tensors{x}).front().mask() == x.mask());
  }
}

TEST_CASE("layers over each sequence's valid steps refuse a mask over features") {
  for (const char* kind : {"MaskedConv1D", "MaskedMaxPooling1D", "MaskedAveragePooling1D"}) {
    const bool conv = std::string_view(kind) == "MaskedConv1D";
    Sequential layer = model_of(kind, conv ? R"({"filters": 2, "kernel_size": 3})" : "{}");
    CHECK(throws<MaskError>(
        [&] {
          build(layer, Spec::f32({any, any, 4}).masked(3));
        },
        kind, "does not accept a mask over single values", "as if it were alone",
        "a mask over whole steps"));
  }
}

TEST_CASE("UpSampling1D, ZeroPadding1D and Cropping1D: their values") {
  const Tensor x = tensor({1., 2., 3.}, {1, 3, 1});
  CHECK(UpSampling1D{}.forward(x).to_vector<double>() == Values{1, 1, 2, 2, 3, 3});
  CHECK(UpSampling1D{{.size = 1}}.forward(x).to_vector<double>() == Values{1, 2, 3});
  CHECK(ZeroPadding1D{}.forward(x).to_vector<double>() == Values{0, 1, 2, 3, 0});
  CHECK(ZeroPadding1D{{.padding = {2, 0}}}.forward(x).to_vector<double>() == Values{0, 0, 1, 2, 3});
  CHECK(Cropping1D{}.forward(x).to_vector<double>() == Values{2});
  CHECK(Cropping1D{{.cropping = {0, 2}}}.forward(x).to_vector<double>() == Values{1});
  CHECK(Cropping1D{{.cropping = {1, 0}}}.forward(x).to_vector<double>() == Values{2, 3});
  CHECK(Cropping1D{{.cropping = {3, 0}}}.forward(x).shape() == Shape{1, 0, 1});
  CHECK(throws<ShapeError>(
      [&] {
        Cropping1D{{.cropping = {2, 2}}}.forward(x);
      },
      "Cropping1D", "f64[1, 3, 1]", "2 steps before and 2 after", "smaller .cropping"));
}

TEST_CASE("numbers for both ends come as an integer or as two") {
  const auto padding = [](const char* json) {
    AnyLayer layer = make_layer("ZeroPadding1D", json);
    const auto p = layer.as<ZeroPadding1D>()->options().padding;
    return std::pair{p.start, p.end};
  };
  CHECK(padding("{}") == std::pair<std::int64_t, std::int64_t>{1, 1});
  CHECK(padding(R"({"padding": 3})") == std::pair<std::int64_t, std::int64_t>{3, 3});
  CHECK(padding(R"({"padding": [0, 2]})") == std::pair<std::int64_t, std::int64_t>{0, 2});
  CHECK(throws<OptionError>([&] { padding(R"({"padding": [1, 2, 3]})"); },
                            "ZeroPadding1D: the option .padding is [1,2,3]",
                            "expected an integer, or an array of two"));
  CHECK(throws<OptionError>([&] { padding(R"({"padding": "same"})"); }, "expected an integer"));
  CHECK(throws<OptionError>([&] { padding(R"({"padding": [1, -2]})"); }, ".padding is -2"));
  CHECK(throws<OptionError>([] { Cropping1D{{.cropping = -1}}; },
                            "Cropping1D: the option .cropping is -1; expected 0 or more"));
}

TEST_CASE("options that do not fit are refused") {
  const auto refuses = [](const char* kind, const char* options, const char* text) {
    CHECK(throws<OptionError>([&] { make_layer(kind, options); }, std::string(kind) + ":", text));
  };
  for (const char* kind : {"Conv1D", "MaskedConv1D", "SeparableConv1D", "Conv1DTranspose"}) {
    refuses(kind, R"({"kernel_size": 2})", ".filters is missing");
    refuses(kind, R"({"filters": 0, "kernel_size": 2})", ".filters is 0; expected 1 or more");
    refuses(kind, R"({"filters": 2, "kernel_size": 0})", ".kernel_size is 0; expected 1 or more");
    refuses(kind, R"({"filters": 2, "kernel_size": 2, "strides": 0})", ".strides is 0");
    refuses(kind, R"({"filters": 2, "kernel_size": 2, "dilation_rate": 0})", ".dilation_rate is 0");
    refuses(kind, R"({"filters": 2, "kernel_size": 2, "padding": "sane"})", "did you mean 'same'?");
  }
  refuses("Conv1D", R"({"filters": 2, "kernel_size": 2, "groups": 0})", ".groups is 0");
  refuses("Conv1D", R"({"filters": 4, "kernel_size": 2, "groups": 3})",
          ".groups is 3 with .filters 4; expected a divisor of it");
  refuses("SeparableConv1D", R"({"filters": 4, "kernel_size": 2, "depth_multiplier": 0})",
          ".depth_multiplier is 0");
  refuses("DepthwiseConv1D", R"({"kernel_size": 2, "depth_multiplier": 0})",
          ".depth_multiplier is 0");
  refuses("DepthwiseConv1D", R"({"kernel_size": 2, "padding": "full"})", ".padding is 'full'");
  refuses("Conv1DTranspose", R"({"filters": 2, "kernel_size": 2, "padding": "causal"})",
          ".padding is 'causal'");
  refuses("Conv1DTranspose",
          R"({"filters": 2, "kernel_size": 2, "strides": 2, "output_padding": 2})",
          ".output_padding is 2 with .strides 2; expected 0 or more, and less than .strides");
  for (const char* kind :
       {"MaxPooling1D", "AveragePooling1D", "MaskedMaxPooling1D", "MaskedAveragePooling1D"}) {
    refuses(kind, R"({"pool_size": 0})", ".pool_size is 0; expected 1 or more");
    refuses(kind, R"({"strides": 0})", ".strides is 0; expected 1 or more");
    refuses(kind, R"({"padding": "causal"})", ".padding is 'causal'");
  }
  refuses("UpSampling1D", R"({"size": 0})", ".size is 0; expected 1 or more");
}

TEST_CASE("inputs that do not fit are refused") {
  for (const auto& r : refusals()) {
    Sequential layer = model_of(r.kind, r.options);
    CHECK(throws<ShapeError>(
        [&] {
          build(layer, Spec::f32({any, 4}));
        },
        r.kind, "f32[any, 4] with 2 axes; expected 3, [batch, time, features]"));
  }
  for (std::size_t i = 0; i < 4; ++i) {
    Sequential layer = model_of(refusals()[i].kind, refusals()[i].options);
    CHECK(throws<ShapeError>(
        [&] {
          build(layer, Spec::f32({any, 6, any}));
        },
        "with a known number of features"));
    build(layer, Spec::f32({any, any, 4}));
    CHECK(throws<ShapeError>(
        [&] {
          call(layer, Tensors{zeros({2, 6, 3})});
        },
        "its last axis must be 4"));
  }
  Conv1D grouped{{.filters = 6, .kernel_size = 2, .groups = 3}};
  CHECK(throws<ShapeError>(
      [&] {
        build(grouped, Spec::f32({any, any, 4}));
      },
      "Conv1D 'conv1d': input is f32[any, any, 4] with .groups 3",
      "Choose .groups that divides 4"));
}

}  // namespace
}  // namespace maskgrad::tests::test_window_layers
