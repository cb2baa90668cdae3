#include <maskgrad/autograd/ops/sequence/sequence_inputs.hpp>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>

namespace maskgrad {

Tensor detail::initial_state(std::string_view op, std::string_view what, const Tensor& state,
                             const Tensor& x, const Mask& samples) {
  if (!state.defined() || (!state.has_mask() && !samples)) return state;
  const Tensor own = samples ? with_mask(state, samples) : state;
  const bool possible = x.is_meta() && samples;  // which sequences there are is not known yet
  if (samples && own.mask().rank() == samples.rank() && (possible || own.mask() == samples)) {
    return own;
  }
  fail<MaskError>(op,
                  "{} {} lacks sequences of the input {}; expected a state for each. Give the "
                  "others one with or_else(state, zeros)",
                  what, state.describe(), x.describe());
}

Tensor detail::under_both(const Tensor& x, const Tensor& other) {
  return !other.has_mask() || x.mask() == other.mask() ? x : with_mask(x, other.mask());
}

}  // namespace maskgrad
