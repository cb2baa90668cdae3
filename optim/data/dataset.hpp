#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include <maskgrad/optim/data/batch.hpp>
#include <maskgrad/optim/data/source.hpp>

namespace maskgrad {

/// One sequence, as a callback gives it.
struct SequenceData {
  Tensors inputs;  ///< each [steps, ...], or [...] where the input has one value a sequence
  Tensor target = {}, weight = {};
};

/// What a data set is that a function makes, sequence by sequence.
struct CallbackOptions {
  std::vector<std::int64_t> lengths;  ///< steps of each sequence
  std::function<SequenceData(std::int64_t)>
      sample;                                   ///< sequence i; never called by two threads at once
  std::vector<std::int64_t> whole_inputs = {};  ///< inputs with one value a sequence, by number
  bool target_steps = false;                    ///< the target has a value for each step
  bool weight_steps = false;                    ///< the weight has one
};

/// Which end of a sequence is kept when it is cut.
enum class KeepSteps { first, last };

struct SplitOptions {
  std::vector<double> fractions = {0.8, 0.2};  ///< of the sequences; the rest is left out
  std::uint64_t seed = 0;
  bool stratified = false;  ///< each class (target i64, one a sequence) in the same proportions
};

struct DataDescription;
class Standardizer;

namespace data {
/// What numbers stand for.
struct Names {
  std::vector<std::string> parts, classes;
};
}  // namespace data

/// A set of sequences of unequal length, with what is to be learned of them. An immutable value,
/// cheap to copy: subsets and other views share what they are of, and nothing is read before a
/// batch asks for it. Sequences are their valid steps in order; holes and padding of the original
/// are gone.
class Dataset {
 public:
  Dataset() = default;
  explicit Dataset(std::shared_ptr<const data::Source> source,
                   std::shared_ptr<const data::Names> names = {})
      : source_(std::move(source)), names_(std::move(names)) {}

  /// Sequences that are in memory. A tensor under a mask [sequences, time] has a value for each
  /// step (see `from_sequences`, `with_mask`), one without a mask a value for each sequence. How
  /// long a sequence is says the first input with steps; where there is none, each counts as one.
  /// Throws:   ShapeError where the tensors are not of the same sequences; MaskError for a mask
  ///           over other axes.
  static Dataset from_memory(Tensors inputs, Tensor target = {}, Tensor weight = {});
  /// Sequences that a function makes when they are needed.
  /// Throws:   ShapeError for a length below 0; while reading, ShapeError or TypeError, naming the
  ///           sequence, where one does not fit the others or its length.
  static Dataset from_callback(CallbackOptions options);

  /// Number of sequences.
  std::int64_t size() const { return source_ ? source_->size() : 0; }
  /// Valid steps of a sequence, and of all.
  std::int64_t length(std::int64_t sample) const;
  std::int64_t steps() const;
  /// These sequences as a batch. IndexError for one that is not there.
  Batch batch(std::span<const std::int64_t> samples) const;
  Batch batch(std::initializer_list<std::int64_t> samples) const;

  /// The sequences of these numbers, in this order; one may come twice.
  Dataset subset(std::vector<std::int64_t> samples) const;
  /// Sequences of more than `steps` steps cut to their first or last ones.
  Dataset truncated(std::int64_t steps, KeepSteps keep = KeepSteps::first) const;
  /// Each sequence cut into sequences of `steps` steps (the last one may have fewer) that know
  /// nothing of each other. For pieces that carry state see BatchesOptions::window.
  Dataset pieces(std::int64_t steps) const;
  /// `f` applied to each batch when it is made, on the loader's thread and without a tape. It must
  /// leave the number of rows as it is; its `samples` and `begins` are not looked at.
  Dataset map(std::function<Batch(Batch)> f) const;
  /// Prediction of the next step: the target is an input as it is, and the input is the step before
  /// each, zeros before the first. Cut afterwards, a piece begins with the step before it; cut
  /// before, with zeros. MaskError, while reading, for an input without steps.
  Dataset next_step(std::int64_t input = 0) const;
  /// Each batch after the standardizer.
  Dataset standardized(const Standardizer& standardizer) const;

  /// The sequences that the file or the source counts to a part, by name ("train") or number.
  /// OptionError, with the parts there are, where there is no such part.
  Dataset part(std::string_view name) const;
  Dataset part(std::int64_t number) const;
  /// What the parts and the classes of the target are called, where the file says so.
  const std::vector<std::string>& part_names() const;
  const std::vector<std::string>& class_names() const;

  /// Splits the sequences by chance into parts of these fractions, the same for the same seed.
  /// OptionError for fractions that are not above 0 or add up to more than 1.
  std::vector<Dataset> split(const SplitOptions& options) const;
  struct Fold;
  /// `count` ways to hold out one part in `count` of the sequences; each is held out once.
  std::vector<Fold> folds(std::int64_t count, std::uint64_t seed = 0) const;

  /// How many sequences and steps, and how long the sequences are.
  DataDescription describe() const;

  /// What it is made of, for those who write sources of their own.
  const std::shared_ptr<const data::Source>& source() const { return source_; }

 private:
  Dataset over(std::shared_ptr<const data::Source> source) const {
    return Dataset(std::move(source), names_);
  }

  std::shared_ptr<const data::Source> source_;
  std::shared_ptr<const data::Names> names_;
};

/// Sequences [steps, ...] of unequal length as one masked tensor [sequences, longest, ...].
/// ShapeError, naming the sequence, where they differ in type or in the axes behind the steps.
Tensor from_sequences(const Tensors& sequences);

/// One way to hold out a part of a data set.
struct Dataset::Fold {
  Dataset training, held_out;
};

}  // namespace maskgrad
