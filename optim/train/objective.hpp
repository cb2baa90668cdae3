#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <maskgrad/layers/losses/loss_function.hpp>
#include <maskgrad/layers/metrics/mean.hpp>
#include <maskgrad/optim/data/batch.hpp>

namespace maskgrad {

namespace detail {
template <class F>
constexpr bool may_be_empty = std::is_pointer_v<F>;
template <class S>
constexpr bool may_be_empty<std::function<S>> = true;
}  // namespace detail

/// What a training makes small: a loss by name with options, a function of target and prediction,
/// with sample weights or without, or a function of the batch and all outputs of the model.
/// Example:  mg::TrainingLoss{"Huber", R"({"delta": 0.5})"};
///           mg::TrainingLoss{[](const mg::Batch& b, const mg::Tensors& outputs) {
///             return mg::mean_squared_error(b.target, outputs[0]);
///           }};
class TrainingLoss {
 public:
  using Call = std::function<Loss(const Batch& batch, const Tensors& outputs)>;

  TrainingLoss(const char* name) : TrainingLoss(std::string(name ? name : "")) {}
  /// OptionError, with the nearest, for an unknown name or option.
  TrainingLoss(const std::string& name, std::string_view options = "{}");
  template <class F>
  requires(!std::same_as<F, TrainingLoss> && !std::convertible_to<F, std::string> &&
           (std::is_invocable_r_v<Loss, F&, const Batch&, const Tensors&> ||
            std::convertible_to<F, LossFunction>)) TrainingLoss(F f)
      : name_("a function") {
    if constexpr (detail::may_be_empty<F>) {
      if (!f) refuse_empty();
    }
    if constexpr (std::is_invocable_r_v<Loss, F&, const Batch&, const Tensors&>) {
      call_ = std::move(f);
    } else {
      call_ = of_first_output(LossFunction(std::move(f)));
    }
  }

  Loss operator()(const Batch& batch, const Tensors& outputs) const {
    return call_(batch, outputs);
  }
  /// `mean_squared_error {"reduction":"mean"}`; `a function` for one's own.
  const std::string& name() const { return name_; }
  /// Whether it was given by its name, not as a function.
  bool by_name() const { return by_name_; }

 private:
  static Call of_first_output(LossFunction f);
  [[noreturn]] static void refuse_empty();
  std::string name_;
  bool by_name_ = false;
  Call call_;
};

/// A metric that a training follows, under the name that logs have it by.
/// Example:  mg::TrainingMetric{"SparseCategoricalAccuracy"};
///           mg::TrainingMetric{"area", mg::AUC{{.from_logits = true}}};
class TrainingMetric {
 public:
  /// By its name as make_metric takes it; logs have it in snake case, as the class above has it.
  /// OptionError, with the nearest, for an unknown name or option.
  TrainingMetric(const char* kind) : TrainingMetric(std::string(kind ? kind : "")) {}
  TrainingMetric(const std::string& kind, std::string_view options = "{}");
  template <std::derived_from<Metric> M>
  TrainingMetric(M metric) : TrainingMetric(std::string(), std::move(metric)) {}
  template <std::derived_from<Metric> M>
  TrainingMetric(std::string name, M metric)
      : TrainingMetric(std::make_shared<M>(metric), std::make_shared<M>(metric), std::move(name)) {}
  /// A loss that is followed and not made small: its mean over all positions.
  TrainingMetric(std::string name, TrainingLoss loss)
      : name_(std::move(name)), loss_(std::make_shared<TrainingLoss>(std::move(loss))) {}

  const std::string& name() const { return name_; }
  /// Counts the first output against the target. OptionError where the metric is several numbers,
  /// and where the data have no target.
  void update(const Batch& batch, const Tensors& outputs);
  /// What an update would count, apart from what is counted already; and adds it. So parts that
  /// were counted elsewhere come together.
  std::vector<double> measure(const Batch& batch, const Tensors& outputs);
  void merge(const std::vector<double>& counted);
  /// NaN where nothing was counted.
  double value() const;
  void reset();
  /// What was counted, for checkpoints.
  std::vector<double> counted() const;
  void set_counted(const std::vector<double>& counted);

 private:
  TrainingMetric(std::shared_ptr<Metric> metric, std::shared_ptr<Metric> other, std::string name);
  void update(Metric& metric, const Batch& batch, const Tensors& outputs) const;
  std::string name_;
  std::shared_ptr<Metric> metric_;
  std::shared_ptr<Metric> other_;  ///< of the same options, for what is counted apart
  std::shared_ptr<TrainingLoss> loss_;
  Mean mean_;
};

namespace detail {

/// The loss of many batches: sums and counts of its terms are added, so that it is the loss of the
/// whole. A term that is a sum counts as its mean over batches.
class LossTotal {
 public:
  void add(const Loss& loss);
  /// The same as numbers, and what adds them.
  static std::vector<double> measure(const Loss& loss);
  void add(std::span<const double> measured);
  /// All parts of a batch are added.
  void end_batch() { ++batches_; }
  /// NaN where nothing was counted.
  double value() const;
  std::vector<double> counted() const;
  void set_counted(const std::vector<double>& counted);

 private:
  struct Term {
    double sum = 0, count = 0, scale = 1, per_batch = 0;
  };
  std::vector<Term> terms_;
  double batches_ = 0;
  double before_ = 0;     ///< of these, the ones of another loss
  bool resumed_ = false;  ///< counted by the run before
};

}  // namespace detail
}  // namespace maskgrad
