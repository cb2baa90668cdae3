#pragma once

#include <maskgrad/autograd/laws/laws.hpp>
#include <maskgrad/layers/model/functional.hpp>

#include "layers/layer_draws.hpp"

namespace maskgrad::tests {

/// A model as a list of layers, each called with the value before it, and some with an earlier one
/// as well.
struct DrawnModel {
  struct Call {
    std::string kind;
    nlohmann::json options;
    int other = -1;  ///< a second input: 0 = the model's input, i + 1 = what layer i gives
    std::string_view not_alone = {};
  };
  bool ids = false;  ///< the input is ids [batch, time], else reals [batch, time, 4]
  std::vector<Call> calls;

  /// The model, built for f64 behind a mask [batch, time].
  /// Throws:   what the layers throw that do not fit together.
  Functional built() const;
  /// As JSON, for model_from.
  std::string json() const;
};

/// A model of up to five layers, one of them of the kind `wanted`.
DrawnModel draw_model(const LayerDraw& wanted, Seed seed);

/// Laws 1, 2 and 4 (and what check_mask_laws finds beside them) of a model under masks
/// [batch, time] and [batch]; in f32 law 1. Law 4 by the flow: a mask ends only in a layer that is
/// declared to end it.
LawReport laws_of(const DrawnModel& model, DType dtype);

/// Law 8 of it; without checks where it does not stream.
LawReport time_laws_of(const DrawnModel& model, DType dtype);

/// The smallest model that still `fails`: layers and options are left out, numbers made smaller.
/// `fails` may throw for a model that does not fit together, which is then none.
DrawnModel shrunk(DrawnModel model, const std::function<bool(const DrawnModel&)>& fails);

}  // namespace maskgrad::tests
