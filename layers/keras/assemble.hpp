#pragma once

#include <maskgrad/layers/keras/make.hpp>
#include <maskgrad/layers/keras/rules.hpp>

namespace maskgrad::detail {

/// The model with masks as this library has them: nested models stay models. Layers that could not
/// be made are told in `making.troubles`; the model is then not whole.
Functional assemble_keras(const KerasModel& model, KerasMaking& making);
/// The model as Keras computes it, without models in it: each mask is a tensor of its own.
Functional assemble_as_keras(const KerasModel& model, const KerasFlat& flat, KerasMaking& making);

/// Options of a layer that its calls set, as `use_causal_mask`.
KerasLayer with_call_options(const KerasLayer& layer, const std::vector<const KerasStep*>& calls);
/// The tensors of a call in this library's order.
std::vector<KerasValue> ordered_inputs(const KerasStep& step);

/// Tells masks in `making.troubles` that are neither over steps nor those of the layer's inputs;
/// `masked`: which of its inputs carry one.
void check_attention_masks(const KerasStep& step, const std::vector<bool>& masked,
                           KerasMaking& making);

/// Whether Keras runs a recurrent layer without the mask that comes in, by the version: Keras 3
/// hands over no mask where initial states are a second argument.
bool ignores_mask(const KerasStep& step, int major);

/// Whether it is a layer that loading puts before one that refuses masks; Keras has none.
bool is_keras_guard(const AnyLayer& layer);

/// What the user told of a layer.
KerasTold told_steps(const KerasLayer& layer, const KerasOptions& options);

}  // namespace maskgrad::detail
