#pragma once

#include <maskgrad/layers/keras/graph.hpp>

namespace maskgrad::detail {

/// A call of a layer that is no model, with nested models written out.
struct KerasStep {
  const KerasLayer* layer = nullptr;          ///< null for an input
  std::string path = "";                      ///< as `encoder/gru`
  std::vector<KerasArgument> arguments = {};  ///< their values are of earlier steps

  /// All tensors that it reads but masks, in the order of the arguments.
  std::vector<KerasValue> inputs() const;
  const KerasArgument* keyword(std::string_view name) const;
};

struct KerasFlat {
  std::vector<KerasStep> steps;  ///< the inputs first
  std::vector<KerasValue> outputs;
};

/// The model without models in it. What cannot be is told in `troubles`.
KerasFlat flatten_keras(const KerasModel& model, std::vector<std::string>& troubles);

/// Whether the layer stands for what is done before the model: text made to ids.
bool makes_ids(const KerasLayer& layer);
/// Whether a layer changes nothing when a model predicts, and is no layer here.
bool changes_nothing(const KerasLayer& layer);

/// Inputs whose texts become ids inside are told to be ids.
void take_ids_for_texts(KerasModel& model, std::vector<std::string>& troubles);

}  // namespace maskgrad::detail
