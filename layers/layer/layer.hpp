#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/core/context.hpp>
#include <maskgrad/layers/layer/builder.hpp>
#include <maskgrad/layers/layer/layer_concept.hpp>
#include <maskgrad/layers/layer/spec.hpp>
#include <maskgrad/layers/layer/streaming.hpp>

namespace maskgrad {
namespace detail {

/// What is meant as a layer, whether it is a whole one or not.
template <class L>
concept LayerLike = requires {
  L::kind;
}
|| HasContract<L> || AnswersForOthers<L> || requires(L& layer, const Tensor& x) {
  layer.forward(x);
}
|| requires(L& layer, const Tensors& xs) {
  layer.forward(xs);
};

// What a class lacks to be a layer, as the error of a deleted constructor shows it.
template <class L>
struct needs_static_constexpr_MaskContract_contract {};
template <class L>
struct needs_static_constexpr_string_view_kind_and_LayerInfo_info {};
template <class L>
struct needs_forward_of_const_Tensor_or_of_const_Tensors {};

template <class L>
concept IsNamed = requires(L& layer) {
  { L::kind } -> std::convertible_to<std::string_view>;
  { layer.info } -> std::same_as<LayerInfo&>;
};
/// That; void for a layer.
template <class L>
using Lack = std::conditional_t<
    Layer<L>, void,
    std::conditional_t<
        !HasContract<L> && !AnswersForOthers<L>, needs_static_constexpr_MaskContract_contract<L>,
        std::conditional_t<!IsNamed<L>,
                           needs_static_constexpr_string_view_kind_and_LayerInfo_info<L>,
                           needs_forward_of_const_Tensor_or_of_const_Tensors<L>>>>;

/// Whether L is a layer; where it is none, one compile error says what it lacks.
template <class L>
constexpr bool require_layer() {
  if constexpr (!Layer<L>) {
    constexpr bool contract = HasContract<L> || AnswersForOthers<L>;
    constexpr bool named = IsNamed<L>;
    static_assert(contract,
                  "This class is no layer, as it does not say what it does with a mask. Give it: "
                  "static constexpr maskgrad::MaskContract contract{.role = "
                  "maskgrad::MaskRole::propagates, .why = \"...\"};");
    static_assert(!contract || named,
                  "This class is no layer, as it has no kind or no info. Give it: static constexpr "
                  "std::string_view kind = \"MyLayer\"; maskgrad::LayerInfo info{kind, \"\"};");
    static_assert(!contract || !named,
                  "This class is no layer, as it has no forward. Give it: maskgrad::Tensor "
                  "forward(const maskgrad::Tensor& x), or forward(const maskgrad::Tensors& xs)");
  }
  return Layer<L>;
}

/// `GlobalAveragePooling1D` as `global_average_pooling1d`, as Keras writes it.
std::string snake_case(std::string_view kind);
/// `GRU 'encoder/gru_1'` of the layer that is running; "a layer" outside of any.
std::string layer_title();
/// The role of a contract under the mask that `x` carries.
MaskRole role_under(const MaskContract& contract, const Tensor& x);
/// MaskError where the contract refuses the mask of one of the inputs.
void admit(const MaskContract& contract, const Tensors& inputs);
[[noreturn]] void refuse_unbuilt(const Tensor& x);
/// Where a layer is called that a running build did not know, as it was made by another layer or is
/// in no list: gives it a path of its own, inside the layer that is running.
void place_late(LayerInfo& info);
/// Gives the layers inside `layer` their paths, which begin with `inside`. (In visit.hpp.)
template <class L>
void place_inside(L& layer, const std::string& inside, Builder& builder);
/// StateError while this thread trains: a const layer or model does nothing but predict.
void check_predicting(std::string_view kind);
[[noreturn]] void refuse_inputs(std::size_t count, std::string_view expected = "one");
[[noreturn]] void refuse_no_outputs();
/// The MaskError of the running layer, which does not accept `what` (a mask).
[[noreturn]] void refuse_mask(std::string_view what, std::string_view why,
                              std::string_view ways_out, const Tensors& inputs);
/// The layer was seen by mask_flow and summary, if one is listening.
void trace(const extend::LayerScope& layer, const MaskContract& contract, const TimeContract& time,
           bool has_weights, const Tensors& inputs, const Tensors& outputs);

inline Tensors as_tensors(Tensor x) {
  return {std::move(x)};
}
inline Tensors as_tensors(Tensors xs) {
  if (xs.empty()) refuse_no_outputs();
  return xs;
}

template <class L>
Tensors forward(L& layer, const Tensors& inputs) {
  if constexpr (requires { layer.forward(inputs); }) {
    return as_tensors(layer.forward(inputs));
  } else {
    if (inputs.size() != 1) refuse_inputs(inputs.size());
    return as_tensors(layer.forward(inputs[0]));
  }
}

/// The same inside of a push of a stream, where a layer that reads neighboring steps gets those that
/// came before, unless it keeps a state itself or has layers in it, which keep theirs.
template <class L>
Tensors forward_of(L& layer, const Tensors& inputs) {
  if (StreamRun::current()) {
    const LayerCall whole{&layer, [](void* l, const Tensors& xs) {
                            return detail::forward(*static_cast<L*>(l), xs);
                          }};
    if constexpr (!requires { L::each_layer(layer, [](auto&&, auto&) {}); } && HasContract<L>) {
      bool over_context = false;
      if constexpr (ReadsContext<L>) over_context = layer.time_over_context(1).has_value();
      return call_in_stream(time_of(layer), over_context, whole, inputs);
    } else {
      return call_over_context(whole, inputs);
    }
  }
  return forward(layer, inputs);
}

template <class L>
concept BuildsByAll = requires(L& layer, const Tensors& inputs, Builder& b) {
  layer.build(inputs, b);
};
/// Layers that make weights, or other layers, when they see their first input.
template <class L>
concept Builds = BuildsByAll<L> || requires(L& layer, const Tensor& x, Builder& b) {
  layer.build(x, b);
};

/// Makes the layer's weights, if a build is running; else says that there are none.
template <class L>
void build_layer(L& layer, const Tensors& inputs) {
  auto* builder = Builder::current();
  if constexpr (Builds<L>) {
    if (!builder) refuse_unbuilt(inputs[0]);
    if constexpr (BuildsByAll<L>) {
      layer.build(inputs, *builder);
    } else {
      layer.build(inputs[0], *builder);
    }
    if constexpr (requires { L::each_layer(layer, [](auto&&, auto&) {}); }) {
      place_inside(layer, builder->inside(layer.info), *builder);
    }
  }
  if (builder) layer.info.built = true;
}

}  // namespace detail

/// Calls a layer: the one way in, for models, containers and by hand. Refuses a mask that the
/// contract does not admit, makes the weights while a model is being built, runs `forward`, and
/// names the layer in every error and in every mask that is made inside.
template <detail::LayerLike L>
requires(!std::is_const_v<L>) Tensors call(L& layer, const Tensors& inputs) {
  Tensors outputs;
  if constexpr (detail::require_layer<L>()) {
    if (!layer.info.built) detail::place_late(layer.info);
    const extend::LayerScope scope(L::kind, layer.info.path);
    const detail::LayerNoise noise(layer.info.noise);
    if (inputs.empty()) detail::refuse_inputs(0);
    if constexpr (detail::HasContract<L>) detail::admit(contract_of(layer), inputs);
    if (!layer.info.built) detail::build_layer(layer, inputs);
    outputs = detail::forward_of(layer, inputs);
    if constexpr (detail::HasContract<L>) {
      constexpr bool has_weights = requires {
        L::each_parameter(layer, [](auto&&, Parameter&) {});
      }
      || requires {
        L::each_layer(layer, [](auto&&, auto&) {});
      };
      detail::trace(scope, contract_of(layer), time_of(layer), has_weights, inputs, outputs);
    }
  }
  return outputs;
}

/// The first result of a call with one input.
template <detail::LayerLike L>
requires(!std::is_const_v<L>) Tensor call(L& layer, const Tensor& x) {
  return call(layer, Tensors{x}).front();
}
/// The same for a const layer, which is called under Evaluate alone: StateError otherwise.
template <detail::LayerLike L>
Tensors call(const L& layer, const Tensors& inputs) {
  detail::check_predicting(L::kind);
  return call(const_cast<L&>(layer), inputs);  // only training changes a layer
}
template <detail::LayerLike L>
Tensor call(const L& layer, const Tensor& x) {
  return call(layer, Tensors{x}).front();
}

}  // namespace maskgrad
