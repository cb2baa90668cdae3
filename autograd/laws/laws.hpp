#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/autograd/callable.hpp>
#include <maskgrad/autograd/contract.hpp>

namespace maskgrad {

/// What an input of a callable is to the batch.
enum class InputKind {
  sequences,  ///< [batch, time, ...]; gets the mask
  covered,    ///< [batch, time, ...] without a mask; what it holds where the others are masked must
              ///< not matter
  dense,      ///< [batch, time, ...] without a mask; all of it is data
  samples,    ///< [batch, ...], one entry a sequence, no mask (an initial state)
  shared      ///< the same for all sequences (weights)
};

/// One input of a callable under the laws: a dense tensor, f64 for reals, which the checks cut,
/// mask and pad with garbage. All inputs with a batch or time axis agree on their sizes.
struct LawInput {
  std::string name;
  InputKind kind = InputKind::sequences;
  Tensor value;
};

struct LawOptions {
  /// Under which masks the laws run; the contract says what is expected for each.
  bool steps = true;    ///< [batch, time]
  bool samples = true;  ///< [batch]
  bool full = true;     ///< every axis
  /// Parameters that the callable holds, by variable_of.
  std::vector<Variable> variables = {};
  /// The axis of every output that is the batch; -1: none (then law 2 and 5 need an exemption).
  int batch_axis = 0;
  /// Under [batch, time], how many of the results carry the mask on; those behind carry none (the
  /// states of a recurrence).
  std::size_t carriers = std::numeric_limits<std::size_t>::max();
  /// Why laws 2 and 5 do not hold, as `statistics over the batch`; empty: they must.
  std::string_view not_alone = "";  ///< law 2
  std::string_view not_split = "";  ///< law 5
  /// Why f needs the data's own number of steps, as an index into them; empty: it works with any.
  /// Else law 2 and masks over no steps are left out.
  std::string_view fixed_steps = "";
  /// Why shared inputs or parameters have a gradient though no row is valid; empty: it must be 0.
  std::string_view empty_gradient = "";
  /// Why f cannot run on tensors without data; empty: it must.
  std::string_view without_data = "";
  /// f64, or f32: then laws 2 and 5 do not run.
  DType dtype = DType::f64;
  /// Law 2 and 5: greatest difference, relative to the greatest value it is compared with.
  double tolerance = 1e-10;
  /// Law 1 where an incoming gradient is 0: the same, of the other gradients. Not 0 where what is not
  /// finite makes a second derivative take another way, whose rounding is another.
  double other_way = 0;
};

/// What the laws found.
struct LawReport {
  struct Failure {
    int law;              ///< as numbered in the design, 0: could not be run
    std::string pattern;  ///< the mask, as `[batch, time] left`
    std::string what;     ///< where, and what was seen and expected
  };
  std::vector<Failure> failures;
  std::vector<std::string> exempt;  ///< laws that were not run, and why
  std::int64_t checks = 0;          ///< comparisons made

  explicit operator bool() const { return failures.empty(); }
  /// One line a failure; at most ten.
  std::string str() const;
};

/// Runs `f`, forward and backward, under masks of many patterns and checks the laws:
/// 1 padding is nothing: what stands there, NaN and infinity too, reaches no bit; nor does what has
///   an incoming gradient of 0.
/// 2 alone or together: a sequence gives the same alone and unpadded as in any batch.
/// 3 declared is done: what the contract says is what is seen, also without data; who propagates
///   changes one row and no other when one row changes.
/// 4 never lost in silence: a mask ends only where that is declared.
/// 5 any split, one gradient: parts of a batch add up to the gradient of the whole.
/// 7 empty is legal: of nothing comes no NaN and no gradient.
/// `f` must be deterministic. Throws nothing that `f` throws: that is a failure in the report.
LawReport check_mask_laws(const Callable& f, const std::vector<LawInput>& inputs,
                          const MaskContract& contract, const LawOptions& options = {});

}  // namespace maskgrad
