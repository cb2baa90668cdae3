#pragma once

#include <maskgrad/layers/keras/lint.hpp>
#include <maskgrad/layers/keras/loading.hpp>

namespace maskgrad::detail {

/// What is known of one result of a step.
struct LintValue {
  bool keras = false;   ///< carries a mask in Keras
  bool now = false;     ///< carries one here, for the file as it is
  bool masked = false;  ///< with a mask at every input that has steps: has padded steps
  KerasShape shape = {};
};

/// Follows masks through the calls; `values` are the results of each step.
class LintStory {
 public:
  LintStory(const KerasRead& read, const KerasOptions& options, Lint& lint);
  void run();

 private:
  void input(std::size_t i);
  void step(std::size_t i);
  LintValue of(const KerasValue& value) const;
  void tell(const KerasStep& step, const KerasTraits& traits, LintCall& call,
            const std::vector<LintValue>& inputs, bool given);
  void follow(const KerasStep& step, const KerasTraits& traits, const LintCall& call,
              const std::vector<LintValue>& inputs, bool given);
  std::vector<bool> parts_of_masks() const;

  const KerasRead& read_;
  const KerasOptions& options_;
  Lint& lint_;
  std::vector<LintValue> values_;  ///< of the first result of each step
  std::vector<bool> parts_;        ///< operations whose results are masks
  std::vector<std::size_t> call_of_;
};

/// Whether the input has steps, some of which may be padding.
bool has_steps(const KerasRead& read, std::size_t input);
/// Runs the model where it can, and fills in what was seen.
void prove(const KerasRead& read, const KerasOptions& options, Lint& lint);
/// The sentence, and what to do.
void conclude(const KerasRead& read, Lint& lint);

}  // namespace maskgrad::detail
