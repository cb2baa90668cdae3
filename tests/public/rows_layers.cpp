#include <maskgrad/layers/recurrent/by_steps.hpp>

#include "hostile.hpp"

namespace maskgrad::tests {
namespace {

std::string options_for(std::string_view kind) {
  extend::OptionWriter writer;
  for (const char* name : {"units", "filters", "n", "input_dim", "output_dim", "num_heads",
                           "key_dim", "kernel_size", "size", "rate"}) {
    writer(name, std::int64_t{1});
  }
  (void)kind;
  return writer.json();
}

/// Every layer of the registry, with one option too large to be counted, on every tensor.
Calls registry_calls() {
  Calls all;
  for (const auto& known : registered_layers()) {
    if (!known.make) continue;
    const std::string kind(known.kind);
    for (const char* options :
         {"{}", R"({"units": 9223372036854775807})", R"({"filters": 4611686018427387904})",
          R"({"rate": 1})", R"({"units": 0})", R"({"n": 9223372036854775807})",
          R"({"units": 1000000000000})", R"({"input_dim": 4611686018427387904, "output_dim": 2})",
          R"({"padding": 9223372036854775807})", R"({"size": 9223372036854775807})",
          R"({"num_heads": 4611686018427387904, "key_dim": 4})",
          R"({"filters": 1, "kernel_size": 9223372036854775807})",
          R"({"units": 1, "name": "\u0000"})", R"({"target_shape": [9223372036854775807, 4]})"}) {
      all.push_back([=] { make_layer(kind, options); });
      all.push_back([=] {
        for (const Tensor& x : Hostile<Tensor>::values()) {
          AnyLayer layer = make_layer(kind, options);
          try {
            layer.call({x});
          } catch (const Error&) {
          }
          try {
            build(layer, Spec::f32({any, any, 3}));
            layer.call({x});
          } catch (const Error&) {
          }
        }
      });
    }
  }
  return all;
}

template <class F>
Row loss_row(const char* name, F f) {
  return {name, [f] { return calls(f); }};
}

std::vector<Row> loss_rows() {
  return {loss_row("binary_crossentropy", binary_crossentropy),
          loss_row("categorical_crossentropy", categorical_crossentropy),
          loss_row("sparse_categorical_crossentropy", sparse_categorical_crossentropy),
          loss_row("crf_loss", crf_loss),
          loss_row("ctc", ctc),
          loss_row("binary_focal_crossentropy", binary_focal_crossentropy),
          loss_row("categorical_focal_crossentropy", categorical_focal_crossentropy),
          loss_row("hinge", hinge),
          loss_row("squared_hinge", squared_hinge),
          loss_row("categorical_hinge", categorical_hinge),
          loss_row("make_loss", make_loss),
          loss_row("kl_divergence", kl_divergence),
          loss_row("poisson", poisson),
          loss_row("mean_squared_error", mean_squared_error),
          loss_row("mean_absolute_error", mean_absolute_error),
          loss_row("mean_absolute_percentage_error", mean_absolute_percentage_error),
          loss_row("mean_squared_logarithmic_error", mean_squared_logarithmic_error),
          loss_row("huber", huber),
          loss_row("log_cosh", log_cosh),
          loss_row("cosine_similarity", cosine_similarity)};
}

Calls loss_function_calls() {
  Calls all{
      [] { LossFunction()(ones({2}), ones({2})); },
      [] { LossFunction(std::function<Loss(const Tensor&, const Tensor&)>())(ones({2}), {}); },
      [] { LossFunction{LossFunction::Call()}; }};
  for (const auto name : loss_names()) {
    for (const Tensor& x : Hostile<Tensor>::values()) {
      for (const Tensor& y : Hostile<Tensor>::values()) {
        all.push_back([=] { make_loss_function(name)(x, y); });
      }
    }
  }
  for (auto& call : calls<LossFunction, std::string_view, std::string_view>(make_loss_function)) {
    all.push_back(call);
  }
  return all;
}

Calls metric_calls() {
  Calls all = calls(make_metric);
  for (const auto name : metric_names()) {
    for (const Tensor& x : Hostile<Tensor>::values()) {
      for (const Tensor& y : Hostile<Tensor>::values()) {
        all.push_back([=] { make_metric(name)->update(x, y); });
        all.push_back([=] { make_metric(name)->update(y, y, x); });
      }
    }
    all.push_back([=] { make_metric(name)->value(); });
    all.push_back([=] { make_metric(name)->result(); });
    all.push_back([=] { make_metric(name)->set_counted({1e9}); });
    all.push_back([=] {
      const auto metric = make_metric(name);
      metric->set_counted({1, 2});
      metric->result();
    });
    all.push_back([=] { make_metric(name)->merge(Mean()); });
  }
  return all;
}

/// A model and what can be done with it before it is built, and with wrong things.
template <class F>
std::function<Calls()> on_models(F f) {
  return [f] {
    Calls all;
    for (const bool built : {false, true}) {
      all.push_back([=] {
        Sequential model{Dense{{.units = 2}}};
        if (built) model.build(Spec::f32({any, 3}));
        f(model);
      });
      all.push_back([=] {
        Functional model;
        const auto x = model.input();
        model.outputs({model.add(Dense{{.units = 2}}, {x})});
        if (built) model.build({Spec::f32({any, 3})});
        f(model);
      });
    }
    all.push_back([=] {
      Functional empty;
      f(empty);
    });
    return all;
  };
}

std::vector<Row> model_rows() {
  return {
      {"build",
       [] {
         return calls_of<std::vector<Spec>>([](const auto& specs) {
           Sequential model{Dense{{.units = 2}}};
           build(model, specs);
         });
       }},
      {"call",
       [] {
         return calls_of<std::vector<Tensor>>([](const Tensors& x) {
           Dense layer{{.units = 2}};
           call(layer, x);
         });
       }},
      {"predict", on_models([](auto& m) { predict(m, Tensors{}); })},
      {"parameters", on_models([](auto& m) { parameters(m); })},
      {"named_parameters", on_models([](auto& m) { named_parameters(m); })},
      {"clone", on_models([](auto& m) { clone(m, DType::i64); })},
      {"set_trainable", on_models([](auto& m) { set_trainable(m, true); })},
      {"reset_states", on_models([](auto& m) { reset_states(m, {-1}); })},
      {"mask_flow", on_models([](auto& m) { mask_flow(m, {}); })},
      {"summary", on_models([](auto& m) { summary(m, {}); })},
      {"describe", on_models([](auto& m) { describe(m); })},
      {"visit_model", on_models([](auto& m) { detail::visit_model(m, detail::LayerVisitor()); })},
      {"save_model", on_models([](auto& m) { save_model(m, "/nowhere/m.safetensors"); })},
      {"save_weights", on_models([](auto& m) { save_weights(m, ""); })},
      {"load_weights", on_models([](auto& m) { load_weights(m, ""); })},
      {"save_torch_weights", on_models([](auto& m) { save_torch_weights(m, ""); })},
      {"load_torch_weights", on_models([](auto& m) { load_torch_weights(m, ""); })},
      {"load_any_model",
       [] {
         return calls_of<std::filesystem::path>([](const auto& path) { load_any_model(path); });
       }},
      {"load_model",
       [] { return calls_of<std::filesystem::path>([](const auto& path) { load_model(path); }); }},
      {"load_keras",
       [] {
         return calls_of<std::filesystem::path>([](const auto& path) {
           load_keras(path, {.custom = {{"", KerasFactory()}}});
         });
       }},
      {"save_keras",
       [] {
         return calls_of<std::filesystem::path>([](const auto& path) {
           save_keras(Functional(), path);
           save_keras(Sequential{ReLU{}}, path);
         });
       }},
      {"keras_stand_in",
       [] { return calls_of<std::string_view>([](auto rule) { keras_stand_in(rule); }); }},
      {"save_onnx", on_models([](auto& m) { save_onnx(m, "/nowhere/m.onnx"); })},
      {"load_onnx",
       [] { return calls_of<std::filesystem::path>([](const auto& path) { load_onnx(path); }); }},
      {"lint",
       [] { return calls_of<std::filesystem::path>([](const auto& path) { lint(path); }); }},
      {"Lint",
       [] {
         return Calls{[] { Lint().table(); }, [] { Lint().json(); }, [] { Lint().dot(); },
                      [] { Lint().html(); }, [] { Lint().status(); }};
       }},
      {"model_from",
       [] { return calls_of<std::string_view>([](auto json) { model_from(json); }); }},
      {"Sequential",
       [] {
         return Calls{[] { Sequential(std::vector<AnyLayer>()); },
                      [] { Sequential{Dense{{.units = 1}}}(Tensor()); },
                      [] { Sequential{Dense{{.units = 1}}}.mask_flow(); },
                      [] { Sequential{Dense{{.units = 1}}}.summary(); },
                      [] { Sequential{Dense{{.units = 1}}}.layer(7); }};
       }},
      {"Functional",
       [] {
         return Calls{[] { Functional().call({}, {}); }, [] { Functional().call({7}, {{}}); },
                      [] { Functional().outputs({}); },  [] { Functional().outputs({{-1, -1}}); },
                      [] { Functional()({}); },          [] { Functional().build({}); }};
       }},
      {"Lambda",
       [] {
         return Calls{[] { Lambda{std::function<Tensor(const Tensor&)>()}; },
                      [] { Lambda{[](const Tensor&) { return Tensor(); }}(ones({2})); },
                      [] { Lambda{[](const Tensors&) { return Tensors(); }}(ones({2})); }};
       }},
  };
}

}  // namespace

std::vector<Row> layer_rows() {
  std::vector<Row> all{
      {"make_layer",
       [] {
         auto made = registry_calls();
         for (auto& call : calls(make_layer)) made.push_back(call);
         made.push_back([] { make_layer("Dense", options_for("Dense")); });
         return made;
       }},
      {"make_loss_function", loss_function_calls},
      {"loss_names", [] { return calls(loss_names); }},
      {"make_metric", metric_calls},
      {"metric_names", [] { return calls(metric_names); }},
      {"metric_from", [] { return calls(metric_from); }},
      {"mask_support", [] { return calls<MaskSupport, std::string_view>(mask_support); }},
      {"registered_layers", [] { return calls(registered_layers); }},
      {"register_layer",
       [] {
         return Calls{[] { register_layer(RegisteredLayer{}); },
                      [] { register_layer("Dense", {}); }, [] { register_layer<Dense>(); }};
       }},
      {"run_by_steps",
       [] {
         return Calls{[] {
                        detail::run_by_steps(ones({1, 2, 3}), {}, false, {});
                      },
                      [] { detail::run_by_steps(Tensor(), {}, false, {}); }};
       }},
      {"shape_and_mask", [] { return calls(shape_and_mask); }},
      {"contract_of", [] { return Calls{[] { contract_of(Dense{{.units = 1}}); }}; }},
      {"read_options",
       [] {
         return calls_of<std::string_view>([](auto json) {
           extend::read_options<extend::NameOnly>(std::string_view("x"), json);
         });
       }},
  };
  for (auto& some : {loss_rows(), model_rows()}) all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace maskgrad::tests
