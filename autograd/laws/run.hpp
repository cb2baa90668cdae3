#pragma once

#include <functional>
#include <string>
#include <vector>

#include <maskgrad/autograd/laws/laws.hpp>

/// The parts of check_mask_laws: patterns of masks, cuts of the data, and one run of a callable.
namespace maskgrad::laws {

enum class MaskOver { nothing, steps, samples, full };

std::string_view name(MaskOver over);

/// What stands where a mask is false.
struct Garbage {
  std::string_view name;
  double real;
  std::int64_t id;
  bool truth;
};
inline constexpr Garbage nothing_odd{"0", 0, 0, false};
const std::vector<Garbage>& garbage_kinds();

/// Some sequences of the data, each with `time` of its steps.
struct Batch {
  std::vector<std::int64_t> sequences;
  std::int64_t time = 0;
  std::vector<std::int64_t>
      positions;  ///< [sequences, time]: flat positions in the data's [batch, time]
};

/// A mask for the whole data, and the part of the data that it is for.
struct Pattern {
  std::string name;
  MaskOver over = MaskOver::nothing;
  std::vector<bool> bits;               ///< steps: [batch, time]; samples: [batch]
  std::vector<std::vector<bool>> full;  ///< full: for each input, its shape; empty: all valid
  Batch batch;

  bool any_valid = false;
};

/// What of a run is to be read by nothing: results that get a gradient of 0, and the values of the
/// inputs that these alone are made of, which hold something odd.
struct Unread {
  enum class What { nothing, sequence, row } what = What::nothing;
  std::int64_t at = 0;  ///< the sequence, an index into the batch, or the position over the mask
  std::string_view name = "";
  std::function<double(double)> change = {};  ///< what stands there instead; none: what was there

  bool anything() const { return what != What::nothing; }
};

/// What came out of a run. Gradients are those of the dense inputs, before a mask is put on.
struct Outcome {
  std::vector<Tensor> results;
  std::vector<Tensor> gradients;  ///< undefined for ids and truth values
  std::vector<Tensor> variables;  ///< gradients
};

/// The callable with its data.
class Subject {
 public:
  Subject(const Callable& f, const std::vector<LawInput>& inputs, const LawOptions& options);

  std::int64_t batch() const { return batch_; }
  std::int64_t time() const { return time_; }
  const std::vector<LawInput>& inputs() const { return inputs_; }
  bool has_sequences() const { return has_sequences_; }

  /// Every pattern under which the laws run.
  std::vector<Pattern> patterns(MaskOver over) const;
  Batch cut(const std::vector<std::int64_t>& sequences) const;
  /// The valid steps of one sequence, put side by side.
  Batch alone(const Pattern& pattern, std::int64_t sequence) const;
  /// Whether value `k` of the step at `place` of input `i` is valid.
  bool valid(const Pattern& pattern, std::size_t i, std::int64_t place, std::int64_t k) const;
  /// The same for all values of a step.
  bool valid_step(const Pattern& pattern, std::int64_t place) const;

  /// Forward and backward on a part of the data; with `masked` under the pattern's mask.
  Outcome run(const Pattern& pattern, const Batch& batch, bool masked,
              const Garbage& garbage = nothing_odd, const Unread& unread = {}) const;
  /// Whether stored value `value` of a result is unread.
  bool unread_result(const Unread& unread, const Tensor& result, const Batch& batch,
                     std::int64_t value) const;
  /// Whether value `k` of the `n`th place of input `i` in a batch is.
  bool unread_input(const Unread& unread, const Pattern& pattern, const Batch& batch, std::size_t i,
                    std::int64_t n, std::int64_t k) const;
  /// The results for inputs without data, of free batch and time.
  std::vector<Tensor> run_without_data(MaskOver over) const;
  /// The mask that run gives input `i`.
  Mask mask(const Pattern& pattern, const Batch& batch, std::size_t i) const;

 private:
  Pattern make(std::string_view kind, MaskOver over, Batch batch) const;
  Tensor part(const Pattern& pattern, const Batch& batch, std::size_t i, bool masked,
              const Garbage& garbage, const Unread& unread = {}) const;
  std::vector<Tensor> weights(const std::vector<Tensor>& results, const Batch& batch,
                              const Unread& unread) const;

  const Callable& f_;
  const std::vector<LawInput>& inputs_;
  const LawOptions& options_;
  std::int64_t batch_ = 1, time_ = 1;
  bool has_batch_ = false, has_time_ = false, has_sequences_ = false;
};

/// The sequence (an index into the batch) of each stored value of a result; ShapeError where
/// `axis` is not the batch. With axis -1 all belong to one.
std::vector<std::int64_t> sequence_of_values(const Tensor& result, int axis,
                                             std::int64_t sequences);

}  // namespace maskgrad::laws
