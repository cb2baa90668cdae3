#include "layers/random_models.hpp"

#include <algorithm>

#include <maskgrad/maskgrad.hpp>

#include "autograd/op_cases.hpp"

namespace maskgrad::tests {
namespace in_random_models {

constexpr std::int64_t model_features = 4;

Spec spec_of(const DrawnModel& model, int mask_axes) {
  const Spec spec = model.ids ? Spec::ids({any, any}) : Spec::f64({any, any, model_features});
  return mask_axes > 0 ? spec.masked(mask_axes) : spec;
}

Functional assembled(const DrawnModel& model) {
  Functional f;
  std::vector<Functional::Node> values{f.input()};
  for (const auto& call : model.calls) {
    std::vector<Functional::Node> inputs{values.back()};
    if (call.other >= 0) inputs.push_back(values.at(static_cast<std::size_t>(call.other)));
    values.push_back(f.add(make_layer(call.kind, call.options.dump()), inputs));
  }
  f.outputs({values.back()});
  return f;
}

/// What the model gives for an input under a mask over so many axes, without data.
Tensor without_data(Functional& f, const DrawnModel& model, int mask_axes) {
  const NoGrad no_grad;
  return call(f, spec_of(model, mask_axes).meta());
}

/// What the model as a whole does with a mask: goes by what it gives without data, which the laws
/// hold it to with data.
MaskRole role_under(Functional& f, const DrawnModel& model, int mask_axes) {
  const Tensor plain = without_data(f, model, 0), y = without_data(f, model, mask_axes);
  const auto certain = [](const Tensor& x) {
    return x.has_mask() && !masks::is_possible(x.mask());
  };
  if (certain(plain)) return MaskRole::produces;
  return certain(y) && y.mask().rank() >= mask_axes ? MaskRole::supports : MaskRole::consumes;
}

/// Law 4 over the calls of the layers.
void check_flow(Functional& f, const DrawnModel& model, LawReport& report) {
  const Flow flow = mask_flow(f, {spec_of(model, 2)});
  for (const auto& step : flow.steps()) {
    ++report.checks;
    const auto masked = std::find_if(step.inputs.begin(), step.inputs.end(),
                                     [](const Tensor& x) { return x.has_mask(); });
    if (masked == step.inputs.end() || step.outputs.front().has_mask()) continue;
    const auto role = detail::role_under(step.contract, *masked);
    if (role == MaskRole::consumes) continue;
    report.failures.push_back({4, "[batch, time] without data",
                               step.path + " is declared " + std::string(name(role)) +
                                   ", but its result carries no mask"});
  }
}

/// The model_features that a layer behind this model sees.
std::int64_t width_of(const DrawnModel& model) {
  if (model.calls.empty()) return model_features;
  Functional f = model.built();
  return without_data(f, model, 2).shape().back();
}

/// Whether the model takes sequences of some lengths: without data only free sizes were compared.
bool takes_lengths(const DrawnModel& model) {
  Functional f = model.built();
  const NoGrad no_grad;
  for (const std::int64_t time : {1, 2, 5, 8}) {
    const Spec spec = model.ids ? Spec::ids({2, time}) : Spec::f64({2, time, model_features});
    try {
      call(f, spec.masked(2).meta());
    } catch (const Error&) {
      return false;
    }
  }
  return true;
}

/// Adds a layer, if options are found that fit.
bool add(DrawnModel& model, const LayerDraw& layer, Dice& dice) {
  const bool ids = layer.kind == "Embedding" && model.calls.empty();
  for (int attempt = 0; attempt < 10; ++attempt) {
    DrawnModel more = model;
    more.ids = model.ids || ids;
    const auto earlier = static_cast<std::int64_t>(model.calls.size());
    const bool second = layer.least > 1 || (layer.inputs > 1 && dice.coin());
    const int other = second ? static_cast<int>(dice.between(0, earlier)) : -1;
    try {
      auto options = layer.options(dice, width_of(model));
      // A causal mask goes by positions, which are the same only within one value.
      if (second) options.erase("use_causal_mask");
      more.calls.push_back({std::string(layer.kind), options, other, layer.not_alone});
      if (!takes_lengths(more)) continue;
    } catch (const Error&) {
      continue;  // it does not fit here
    }
    model = more;
    return true;
  }
  return false;
}

DrawnModel without_call(const DrawnModel& model, std::size_t at) {
  DrawnModel less = model;
  less.calls.erase(less.calls.begin() + static_cast<std::ptrdiff_t>(at));
  for (auto& call : less.calls) {
    if (call.other > static_cast<int>(at)) --call.other;
  }
  return less;
}

/// Smaller models of the same layers: an option less, or a smaller number in one.
std::vector<DrawnModel> with_less_options(const DrawnModel& model) {
  std::vector<DrawnModel> all;
  for (std::size_t i = 0; i < model.calls.size(); ++i) {
    const auto& call = model.calls[i];
    if (call.other >= 0) {
      all.push_back(model);
      all.back().calls[i].other = -1;
    }
    for (const auto& [option, value] : call.options.items()) {
      all.push_back(model);
      all.back().calls[i].options.erase(option);
      if (!value.is_number_integer() || value.get<std::int64_t>() <= 1) continue;
      all.push_back(model);
      all.back().calls[i].options[option] = value.get<std::int64_t>() - 1;
    }
  }
  return all;
}

}  // namespace in_random_models

Functional DrawnModel::built() const {
  using namespace in_random_models;
  Functional f = assembled(*this);
  f.build({spec_of(*this, 2)}, Seed{3});
  return f;
}

std::string DrawnModel::json() const {
  using namespace in_random_models;
  return describe(assembled(*this));
}

DrawnModel draw_model(const LayerDraw& wanted, Seed seed) {
  using namespace in_random_models;
  Dice dice(seed);
  std::vector<const LayerDraw*> known;
  for (const auto& layer : layer_draws()) {
    if (layer.left_out.empty()) known.push_back(&layer);
  }
  const auto size = dice.between(1, 5), place = dice.between(0, size - 1);
  DrawnModel model;
  if (wanted.kind != "Embedding" && dice.between(0, 3) == 0) {
    for (const auto* layer : known) {
      if (layer->kind == "Embedding") add(model, *layer, dice);
    }
  }
  bool there = false;
  for (std::int64_t i = 0; i < size; ++i) {
    if (i == place) there = add(model, wanted, dice);
    if (i != place) add(model, *dice.one_of(known), dice);
  }
  if (there) return model;
  DrawnModel alone;  // it did not fit behind the others
  for (const auto* layer : known) {
    if (layer->kind == wanted.behind) add(alone, *layer, dice);
  }
  if (!add(alone, wanted, dice)) {
    fail<OptionError>("draw_model", "no options that were drawn for {} make a model of it alone",
                      wanted.kind);
  }
  return alone;
}

LawReport laws_of(const DrawnModel& model, DType dtype) {
  using namespace in_random_models;
  Functional wide = model.built(), f = clone(wide, dtype);
  LawOptions options{.full = false,
                     .empty_gradient = "the sum of nothing is a value, which goes on into layers",
                     .dtype = dtype,
                     .tolerance = 1e-9};
  for (const auto& call : model.calls) {
    if (call.not_alone.empty()) continue;
    options.not_alone = options.not_split = call.not_alone;
  }
  for (const auto& p : parameters(f)) {
    if (p.trainable()) options.variables.push_back(variable_of(p));
  }
  const MaskContract contract{.role = role_under(wide, model, 2),
                              .why = "a model of layers",
                              .sample_role = role_under(wide, model, 1)};
  // A mask that layers inside made and ended may be what came in, or not.
  options.samples = contract.under_sample() != MaskRole::consumes;
  const Tensor x = draw({.shape = model.ids ? Shape{} : Shape{model_features},
                         .draw = model.ids ? Draw::ids : Draw::normal},
                        11);
  LawReport report = check_mask_laws([&f](const Tensors& xs) { return call(f, xs); },
                                     {{"x", InputKind::sequences, x}}, contract, options);
  check_flow(wide, model, report);
  return report;
}

LawReport time_laws_of(const DrawnModel& model, DType dtype) {
  using namespace in_random_models;
  for (const auto& call : model.calls) {
    if (call.kind == "PositionEmbedding") return {};  // has too few positions for a law's steps
  }
  Functional wide = model.built(), f = clone(wide, dtype);
  if (!time_contract(f).streamable()) return {};
  const Shape shape{any, any, model_features};
  const Spec reals = dtype == DType::f32 ? Spec::f32(shape) : Spec::f64(shape);
  return check_time_laws(f, {model.ids ? Spec::ids({any, any}) : reals});
}

DrawnModel shrunk(DrawnModel model, const std::function<bool(const DrawnModel&)>& fails) {
  using namespace in_random_models;
  const auto still = [&](const DrawnModel& less) {
    try {
      return fails(less);
    } catch (const Error&) {
      return false;
    }
  };
  for (bool smaller = true; smaller;) {
    std::vector<DrawnModel> candidates;
    for (std::size_t i = 0; i < model.calls.size(); ++i) {
      candidates.push_back(without_call(model, i));
    }
    for (auto& less : with_less_options(model)) candidates.push_back(std::move(less));
    const auto found = std::find_if(candidates.begin(), candidates.end(), still);
    smaller = found != candidates.end();
    if (smaller) model = *found;
  }
  return model;
}

}  // namespace maskgrad::tests
