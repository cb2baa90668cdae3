#include <doctest/doctest.h>

#include <algorithm>

#include <maskgrad/layers/registry/registry.hpp>
#include <maskgrad/maskgrad.hpp>

#include "layers/random_models.hpp"

namespace maskgrad::tests::test_random_models {
namespace {

constexpr std::uint64_t models_of_each = 3;

bool threw(const LawReport::Failure& failure) {
  return failure.what.find("it throws") != std::string::npos;
}

/// Whether a model fails as another did: by the same law, and with errors only if that had some.
bool fails_like(const LawReport& report, const LawReport::Failure& first) {
  const auto& all = report.failures;
  if (!threw(first) && std::any_of(all.begin(), all.end(), threw)) return false;
  return std::any_of(all.begin(), all.end(), [&](const LawReport::Failure& failure) {
    return failure.law == first.law && threw(failure) == threw(first);
  });
}

/// Draws a model, and checks it; one that fails is made small, and printed. Gives the number of
/// checks.
std::size_t check_model(const LayerDraw& layer, std::uint64_t k,
                        LawReport (*laws)(const DrawnModel&, DType)) {
  const DrawnModel model = draw_model(layer, Seed{k}.of(layer.kind));
  const auto dtype = k % 3 == 2 ? DType::f32 : DType::f64;
  const auto report = laws(model, dtype);
  if (report) return report.checks;
  const DrawnModel small = shrunk(model, [&](const DrawnModel& less) {
    return fails_like(laws(less, dtype), report.failures.front());
  });
  FAIL_CHECK("the smallest model that breaks a law in ", name(dtype), ": ", small.json(), "\n",
             laws(small, dtype).str());
  return report.checks;
}

/// A layer without options for the tests of the checks.
template <class Self>
struct Plain {
  struct Options {
    std::string name = {};
    template <class O, class F>
    static void each_option(O& o, F&& f) {
      f("name", o.name);
    }
  };
  explicit Plain(Options options = {}) : info(Self::kind, options.name) {}
  const Options& options() const { return options_; }
  LayerInfo info;
  Options options_ = {};
};

/// Mixes the sequences, but says that it stays inside a row.
struct Mixing : Plain<Mixing> {
  using Plain::Plain;
  static constexpr std::string_view kind = "Mixing";
  static constexpr MaskContract contract{.role = MaskRole::propagates, .why = "not true"};
  Tensor forward(const Tensor& x) const { return x - sum(x, {0}); }
};
/// Loses the mask, but says that it passes it on.
struct Losing : Plain<Losing> {
  using Plain::Plain;
  static constexpr std::string_view kind = "Losing";
  static constexpr MaskContract contract{.role = MaskRole::propagates, .why = "not true"};
  Tensor forward(const Tensor& x) const { return x.drop_mask("a test"); }
};

DrawnModel around(std::string_view kind) {
  return {.calls = {{"Dense", {{"units", 3}, {"activation", "tanh"}}},
                    {"SinePositionEncoding", {{"start_index", 2}}},
                    {std::string(kind), nlohmann::json::object()},
                    {"GRU", {{"units", 2}, {"return_sequences", true}}}}};
}

bool breaks_law(int law, const DrawnModel& model) {
  const auto report = laws_of(model, DType::f64);
  return std::any_of(report.failures.begin(), report.failures.end(),
                     [&](const LawReport::Failure& failure) { return failure.law == law; });
}

TEST_SUITE("laws") {
  TEST_CASE("random models of all layers keep laws 1, 2 and 4") {
    for (const auto& layer : layer_draws()) {
      if (!layer.left_out.empty()) continue;
      for (std::uint64_t k = 0; k < models_of_each; ++k) CHECK(check_model(layer, k, laws_of) > 0);
    }
  }
  TEST_CASE("random models of all layers that stream keep law 8") {
    int streamed = 0;
    for (const auto& layer : layer_draws()) {
      if (!layer.left_out.empty()) continue;
      for (std::uint64_t k = 0; k < 2 * models_of_each; ++k) {
        streamed += check_model(layer, 100 + k, time_laws_of) > 0;
      }
    }
    CHECK(streamed > 50);
  }
}

TEST_CASE("a model that breaks a law shrinks to the layer that does") {
  register_layer<Mixing>();
  register_layer<Losing>();
  const auto breaks = [](const DrawnModel& model) { return !laws_of(model, DType::f64); };
  const DrawnModel mixing = shrunk(around("Mixing"), breaks);
  REQUIRE(mixing.calls.size() == 1);
  CHECK(mixing.calls[0].kind == "Mixing");
  CHECK(breaks_law(2, mixing));
  const DrawnModel losing = shrunk(around("Losing"), breaks);
  REQUIRE(losing.calls.size() == 1);
  CHECK(breaks_law(4, losing));
}

TEST_CASE("shrinking leaves out layers and options, and makes numbers smaller") {
  const DrawnModel small = shrunk(around("Dropout"), [](const DrawnModel& model) {
    return std::any_of(model.calls.begin(), model.calls.end(), [](const auto& call) {
      return call.kind == "GRU" && call.options.contains("units") && call.options["units"] > 1;
    });
  });
  REQUIRE(small.calls.size() == 1);
  CHECK(small.calls[0].options == nlohmann::json{{"units", 2}});
  const auto again = model_from<Functional>(small.json());
  CHECK(describe(again) == small.json());
}

TEST_CASE("the same seed draws the same model") {
  const auto& layer = layer_draws()[2];
  CHECK(draw_model(layer, Seed{5}).json() == draw_model(layer, Seed{5}).json());
  CHECK(draw_model(layer, Seed{5}).json() != draw_model(layer, Seed{6}).json());
}

TEST_SUITE("coverage") {
  TEST_CASE("every layer of the library is drawn into random models, or it is said why not") {
    const auto& draws = layer_draws();
    for (const auto& layer : builtin_layers()) {
      const auto row = std::find_if(draws.begin(), draws.end(),
                                    [&](const LayerDraw& d) { return d.kind == layer.kind; });
      if (row == draws.end()) {
        FAIL_CHECK(layer.kind, " has no row in tests/layers/layer_draws.cpp");
      } else {
        CHECK((row->options != nullptr) == row->left_out.empty());
      }
    }
    CHECK(draws.size() == builtin_layers().size());
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_random_models
