#include <maskgrad/optim/train/segments.hpp>

#include <algorithm>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/tape.hpp>
#include <maskgrad/layers/layer/streaming.hpp>
#include <maskgrad/layers/model/time.hpp>

namespace maskgrad::detail {
namespace {

using Counts = std::vector<std::int64_t>;

constexpr std::string_view op = "train_step";

bool has_steps(const Tensor& x) {
  return x.has_mask() && x.mask().rank() == 2;
}

/// x under a mask over its steps: the one of `like` where it has none of its own.
Tensor as_steps(const Tensor& x, const Mask& like) {
  return has_steps(x) || !like ? x : with_mask(x, like);
}

/// A batch whose sequences are cut into pieces.
class Segments {
 public:
  Segments(const Batch& batch, std::int64_t steps) : batch_(batch), steps_(steps) {
    for (const auto& x : batch.inputs) inputs_.push_back(as_input(x));
    lengths_ = inputs_[0].mask().lengths();
    for (const auto& x : inputs_) {
      if (x.mask().lengths() == lengths_) continue;
      fail<OptionError>(op,
                        "inputs {} and {} with .segment; expected sequences of the same lengths",
                        inputs_[0].describe(), x.describe());
    }
    const auto longest = lengths_.empty() ? 0 : *std::max_element(lengths_.begin(), lengths_.end());
    count_ = std::max<std::int64_t>(1, (longest + steps - 1) / steps);
  }

  std::int64_t count() const { return count_; }
  /// The steps of piece `k`, and whether it is a sequence's last one, or behind it.
  Tensors inputs(std::int64_t k) const {
    Counts first(lengths_.size()), size(lengths_.size());
    for (std::size_t s = 0; s < lengths_.size(); ++s) {
      first[s] = std::min(lengths_[s], k * steps_);
      size[s] = std::min(steps_, lengths_[s] - first[s]);
    }
    Tensors pieces;
    for (const auto& x : inputs_) pieces.push_back(steps_of(x, first, size));
    return pieces;
  }
  std::vector<bool> ends(std::int64_t k) const {
    std::vector<bool> all;
    for (const auto length : lengths_) all.push_back(length <= (k + 1) * steps_);
    return all;
  }
  /// The batch that belongs to outputs of piece `k`, of which `given` steps came before.
  Batch part(Tensors inputs, const Tensors& outputs, bool by_steps, const Counts& given) const {
    Batch part;
    part.inputs = std::move(inputs);
    part.samples = batch_.samples;
    part.target = by_steps ? piece(batch_.target, outputs[0], given) : batch_.target;
    part.weight = by_steps && batch_.weight.defined() && batch_.weight.rank() > 1
                      ? piece(batch_.weight, outputs[0], given)
                      : batch_.weight;
    return part;
  }

 private:
  static Tensor as_input(const Tensor& x) {
    if (x.rank() >= 2 && !x.has_mask()) {
      const Counts lengths(static_cast<std::size_t>(x.shape()[0]), x.shape()[1]);
      return with_mask(x, Mask::from_lengths(lengths, x.shape()[1]));
    }
    if (has_steps(x)) return x;
    fail<OptionError>(op,
                      "the input {} with .segment; expected [batch, time, ...], under a mask "
                      "[batch, time] or none",
                      x.describe());
  }
  /// The steps of a target, or of weights, that stand where those of y do.
  Tensor piece(const Tensor& x, const Tensor& y, const Counts& given) const {
    if (!x.defined()) return x;
    const Mask& own = inputs_[0].mask();
    const bool fits = x.rank() >= 2 && (has_steps(x) || x.shape().sub(0, 2) == own.shape());
    if (!fits) {
      fail<OptionError>(op,
                        "the target is {} with .segment, and the model gives {}; expected a "
                        "target for each step",
                        x.describe(), y.describe());
    }
    const Tensor steps = as_steps(x, own);
    auto size = y.mask().lengths(), there = steps.mask().lengths();
    for (std::size_t s = 0; s < size.size(); ++s) {
      size[s] = std::clamp<std::int64_t>(there[s] - given[s], 0, size[s]);
    }
    return steps_of(steps, given, size);
  }

  const Batch& batch_;
  std::int64_t steps_, count_ = 1;
  Tensors inputs_;
  Counts lengths_;
};

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
    std::vector<StreamSlots> before;
    {
      const NoGrad no_grad;
      StreamSlots slots;
      for (std::int64_t k = 0; k < segments_.count(); ++k) {
        before.push_back(slots);
        if (auto made = forward(k, slots, true)) terms_.add(*made);
      }
    }
    std::map<std::string, Tensors> gradients;  // of the state behind the piece
    for (auto k = segments_.count() - 1; k >= 0; --k) {
      gradients = backward(k, std::move(before.back()), gradients);
      before.pop_back();
    }
    return terms_.total();
  }

  Accumulate::Total truncated() {
    Accumulate sums(model_.parameters());
    StreamSlots slots;
    for (std::int64_t k = 0; k < segments_.count(); ++k) {
      if (auto made = forward(k, slots, true)) {
        terms_.add(*made);
        sums.add(*made);
      }
      for (auto& [place, slot] : slots) {
        for (auto& t : slot.tensors) t = t.value();
      }
    }
    return sums.finish();
  }

 private:
  /// The loss of piece `k`; none where a result over all steps is not there yet.
  std::optional<Loss> forward(std::int64_t k, StreamSlots& slots, bool first_time) {
    const NoiseStep step({begin_.step, begin_.sequence, begin_.calls});
    Tensors inputs = segments_.inputs(k), outputs;
    {
      const StreamRun push(slots, segments_.ends(k), false);
      outputs = model_(inputs);
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
    return made;
  }

  std::map<std::string, Tensors> backward(std::int64_t k, StreamSlots slots,
                                          const std::map<std::string, Tensors>& behind) {
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
      add(term.sum, full({}, terms_.factor(i), term.sum.dtype()));
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
  bool so_far_;                ///< the model gives a result over all steps
  std::vector<Counts> given_;  ///< before each piece, the output steps of each sequence
  Terms terms_;
};

}  // namespace

Accumulate::Total gradients_in_segments(const ModelRef& model, const TrainingLoss& loss,
                                        const Batch& batch, const StepOptions& options) {
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
  SegmentRun run(model, loss, batch, options);
  return options.truncate_gradients ? run.truncated() : run.exact();
}

}  // namespace maskgrad::detail
