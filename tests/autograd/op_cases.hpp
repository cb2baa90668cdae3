#pragma once

#include <string>
#include <vector>

#include <maskgrad/autograd/gradcheck.hpp>
#include <maskgrad/autograd/laws/laws.hpp>

namespace maskgrad::tests {

/// How the values of an input are drawn; all stay off the kinks of the operations they are for.
enum class Draw {
  normal,          ///< standard normal
  positive,        ///< 0.5 to 2
  unit,            ///< 0.1 to 0.9
  away_from_zero,  ///< 0.2 to 2, either sign
  distinct,        ///< no two within 0.05 of each other (for max, min)
  ids,             ///< i64, 0 to 4
  truth            ///< bool
};

/// An input: `shape` is what follows [batch, time] (sequences, covered, dense) or [batch]
/// (samples); for shared inputs all of it.
struct CaseInput {
  Shape shape;
  InputKind kind = InputKind::sequences;
  Draw draw = Draw::normal;
};

/// One row of the table that gradients, laws and coverage run over. The first field is the name of
/// the function in autograd/ops (`add` for operator+).
struct OpCase {
  std::string op;
  std::string variant = "";  ///< tells cases of one operation apart
  Callable f;                ///< takes the inputs in order, as a vector or as one tensor
  std::vector<CaseInput> inputs;
  MaskContract contract;    ///< under [batch, time]; sample_role and full_role where they differ
  LawOptions laws = {};     ///< batch_axis, exemptions with their reasons, masks that do not apply
  bool gradient = true;     ///< false: results have no gradient (comparisons)
  double tolerance = 1e-6;  ///< of gradcheck, relative

  std::string title() const { return variant.empty() ? op : op + " (" + variant + ")"; }
};

inline constexpr std::int64_t case_batch = 4, case_time = 5;

/// The value of an input, dense: [case_batch, case_time, shape...] for sequences. Reals are f64.
Tensor draw(const CaseInput& input, std::uint64_t seed);
/// Index 2 of the time axis; of no steps, the step that does not exist.
Tensor third(const Tensor& x);
/// All inputs of a case, ready for check_mask_laws.
std::vector<LawInput> law_inputs(const OpCase& c);

// One function for each family of autograd/ops.
std::vector<OpCase> attention_cases();
std::vector<OpCase> elementwise_cases();
std::vector<OpCase> linear_cases();
std::vector<OpCase> loss_op_cases();
std::vector<OpCase> mask_cases();
std::vector<OpCase> noise_cases();
std::vector<OpCase> normalization_cases();
std::vector<OpCase> reduce_cases();
std::vector<OpCase> sequence_cases();
std::vector<OpCase> shape_cases();

/// All of them.
const std::vector<OpCase>& op_cases();

}  // namespace maskgrad::tests
