#include <maskgrad/optim/train/segments.hpp>

#include <algorithm>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/tape.hpp>
#include <maskgrad/layers/layer/streaming.hpp>
#include <maskgrad/layers/model/time.hpp>
#include <maskgrad/optim/train/segment_pieces.hpp>

namespace maskgrad::detail {
namespace {

using Counts = Segments::Counts;

constexpr std::string_view op = "train_step";

/// Sums and counts of the loss over all pieces.
class Terms {
 public:
  void add(const Loss& loss) {
    const auto& terms = loss.terms();
    if (terms_.empty()) {
      terms_ = terms;
      for (auto& t : terms_) t.sum = Tensor();
      sums_.resize(terms.size());
      for (auto& t : terms_) t.count = 0;
    }
    for (std::size_t i = 0; i < terms.size(); ++i) {
      sums_[i] += terms[i].sum.item();
      terms_[i].count += terms[i].count;
    }
  }
  std::size_t size() const { return terms_.size(); }
  double factor(std::size_t i) const { return terms_[i].factor(terms_[i].count); }
  Accumulate::Total total() const {
    Accumulate::Total all;
    for (std::size_t i = 0; i < terms_.size(); ++i) all.value += factor(i) * sums_[i];
    if (!terms_.empty()) all.count = terms_.front().count;
    return all;
  }

 private:
  std::vector<Loss::Term> terms_;
  std::vector<double> sums_;
};

void check_loss(const Loss& loss, bool by_steps) {
  for (const auto& t : loss.terms()) {
    const bool of_sequences =
        t.reduction == Reduction::per_sequence ||
        (by_steps && loss.positions().defined() && loss.positions().rank() < 2);
    if (!of_sequences && t.reduction != Reduction::none) continue;
    fail<OptionError>(op,
                      "the loss {} is of whole sequences; with .segment expected one that adds "
                      "up over steps, by its mean or sum",
                      loss.str());
  }
}

/// Runs the pieces of one batch.
class SegmentRun {
 public:
  SegmentRun(const ModelRef& model, const TrainingLoss& loss, const Batch& batch,
             const StepOptions& options)
      : model_(model),
        loss_(loss),
        options_(options),
        segments_(batch, options.segment),
        begin_(noise_position_of(model.parameters())),
        so_far_(model.time().so_far) {
    given_.emplace_back(batch.inputs[0].shape()[0]);
  }

  Accumulate::Total exact() {
    auto before = states([](const Loss&) {});
    std::vector<double> factors;
    for (std::size_t i = 0; i < terms_.size(); ++i) factors.push_back(terms_.factor(i));
    run_backward(std::move(before), factors);
    return terms_.total();
  }

  Accumulate::Total truncated() {
    Accumulate sums(model_.parameters());
    each_truncated([&](const Loss& made) { sums.add(made); });
    return sums.finish();
  }

  void exact(ShardedStep& step) {
    const auto before = states([&](const Loss& made) { step.add_counts(made, numbers_); });
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      std::vector<double> one(terms_.size());
      one[i] = 1;
      run_backward(before, one);
      step.take_gradients(i, terms_.size());
    }
  }
  void truncated(ShardedStep& step) {
    each_truncated([&](const Loss& made) { step.add_part(made, numbers_); });
  }

 private:
  using Seen = std::function<void(const Loss&)>;

  /// The states before each piece; the losses of all are counted, and `seen`.
  std::vector<StreamSlots> states(const Seen& seen) {
    std::vector<StreamSlots> before;
    const NoGrad no_grad;
    StreamSlots slots;
    for (std::int64_t k = 0; k < segments_.count(); ++k) {
      before.push_back(slots);
      if (auto made = forward(k, slots, true)) {
        terms_.add(*made);
        seen(*made);
      }
    }
    return before;
  }

  /// Backward of each term's sum times its factor.
  void run_backward(std::vector<StreamSlots> before, const std::vector<double>& factors) {
    std::map<std::string, Tensors> gradients;  // of the state behind the piece
    for (auto k = segments_.count() - 1; k >= 0; --k) {
      gradients = backward(k, std::move(before.back()), gradients, factors);
      before.pop_back();
    }
  }

  void each_truncated(const Seen& add) {
    StreamSlots slots;
    for (std::int64_t k = 0; k < segments_.count(); ++k) {
      if (auto made = forward(k, slots, true)) add(*made);
      for (auto& [place, slot] : slots) {
        for (auto& t : slot.tensors) t = t.value();
      }
    }
  }

  /// The loss of piece `k`; none where a result over all steps is not there yet.
  std::optional<Loss> forward(std::int64_t k, StreamSlots& slots, bool first_time) {
    const NoiseStep step({begin_.step, begin_.sequence, begin_.calls});
    Tensors inputs = segments_.inputs(k), outputs;
    {
      StreamRun push(slots, segments_.ends(k), {.in_place = false}, &constants_);
      outputs = model_(inputs);
      push.done();
    }
    const auto at = static_cast<std::size_t>(k);
    if (first_time) {
      given_.push_back(given_[at]);
      if (!so_far_) {
        const auto lengths = outputs[0].mask().lengths();
        for (std::size_t s = 0; s < lengths.size(); ++s) given_[at + 1][s] += lengths[s];
      }
    }
    if (so_far_ && k + 1 < segments_.count()) return {};
    const Batch part = segments_.part(std::move(inputs), outputs, !so_far_, given_[at]);
    Loss made = loss_(part, outputs);
    check_loss(made, !so_far_);
    refuse_not_finite(made);
    if (first_time && options_.strict_lengths) refuse_fallen_away(made);
    if (first_time && options_.seen) options_.seen(part, outputs, made);
    if (first_time && options_.count) numbers_ = options_.count(part, outputs, made);
    return made;
  }

  std::map<std::string, Tensors> backward(std::int64_t k, StreamSlots slots,
                                          const std::map<std::string, Tensors>& behind,
                                          const std::vector<double>& factors) {
    std::map<std::string, Tensors> leaves;
    for (auto& [place, slot] : slots) {
      for (auto& t : slot.tensors) {
        if (is_real(t.dtype())) t = t.value().with_grad();
      }
      leaves[place] = slot.tensors;
    }
    std::vector<Tensor> roots, seeds;
    double count = 0;
    const auto add = [&](const Tensor& root, const Tensor& seed) {
      if (!root.on_tape()) return;
      roots.push_back(root);
      seeds.push_back(seed);
    };
    const auto made = forward(k, slots, false);
    for (std::size_t i = 0; made && i < made->terms().size(); ++i) {
      const auto& term = made->terms()[i];
      count += term.count;
      if (factors[i] != 0) add(term.sum, full({}, factors[i], term.sum.dtype()));
    }
    for (const auto& [place, gradients] : behind) {
      const auto& states = slots.at(place).tensors;
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        if (gradients[i].defined()) add(states[i], gradients[i]);
      }
    }
    if (!roots.empty()) tape::backward(roots, seeds, {.count = count});
    for (auto& [place, tensors] : leaves) {
      for (auto& t : tensors) {
        const Tensor g = t.on_tape() ? t.grad() : Tensor();
        t = g.defined() ? g.value() : g;
      }
    }
    return leaves;
  }

  const ModelRef& model_;
  const TrainingLoss& loss_;
  const StepOptions& options_;
  Segments segments_;
  NoisePosition begin_;
  StreamConstants constants_;  ///< weights as kernels read them, which stay the same in a step
  bool so_far_;                ///< the model gives a result over all steps
  std::vector<Counts> given_;  ///< before each piece, the output steps of each sequence
  Terms terms_;
  std::vector<double> numbers_;  ///< that the last piece counts, under ranks
};

void check_segments(const ModelRef& model, const Batch& batch, const StepOptions& options) {
  if (options.segment < 0) {
    fail<OptionError>(op, "the option .segment is {}; expected 1 or more steps, or 0: the whole",
                      options.segment);
  }
  if (options.micro_batches != 1 || options.batch_invariant) {
    fail<OptionError>(op,
                      "the option .segment is {} with .micro_batches {} and .batch_invariant {}; "
                      "expected one of them",
                      options.segment, options.micro_batches, options.batch_invariant);
  }
  if (batch.inputs.empty() || batch.inputs[0].rank() < 2) {
    fail<OptionError>(op, "the option .segment is {} for a batch without steps", options.segment);
  }
  std::vector<LayerView> layers;
  model.visit([&](LayerView view) { layers.push_back(std::move(view)); });
  check_streams(layers, model.time());
}

}  // namespace

Accumulate::Total gradients_in_segments(const ModelRef& model, const TrainingLoss& loss,
                                        const Batch& batch, const StepOptions& options) {
  check_segments(model, batch, options);
  SegmentRun run(model, loss, batch, options);
  return options.truncate_gradients ? run.truncated() : run.exact();
}

void add_segments(const ModelRef& model, const TrainingLoss& loss, const Batch& shard,
                  const StepOptions& options, ShardedStep& step) {
  check_segments(model, shard, options);
  SegmentRun run(model, loss, shard, options);
  options.truncate_gradients ? run.truncated(step) : run.exact(step);
}

}  // namespace maskgrad::detail
