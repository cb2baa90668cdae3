#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/layers/keras/lint_trial.hpp>

namespace maskgrad::detail {
namespace {

class LintProver {
 public:
  LintProver(const KerasRead& read, const KerasOptions& options, Lint& lint)
      : read_(read), options_(options), lint_(lint) {}

  void run() {
    if (is_huge()) return give_up("it has steps or sizes of more than a million");
    std::vector<std::string> troubles;
    KerasOptions dense = options_;
    dense.as_keras = true;
    const auto made = [&](double padding) {
      Functional model = make_keras(read_, dense, troubles, padding);
      return troubles.empty() ? clone(model, DType::f64) : model;
    };
    // A sequence alone has no padding, so that this model is the right one for it too.
    Functional base = made(0);
    if (!troubles.empty()) return give_up(troubles[0]);
    const LintTrials trials(read_, base);
    if (trials.one_step()) return tell("one step: nothing is padded");
    for (const auto time : trials.times()) {
      trial_ = trials.draw(time, 0);
      const Tensors padded = result(base, trial_.padded);
      const auto none = [](const Tensor& y) { return y.shape().count() == 0; };
      if (std::ranges::any_of(padded, none)) continue;
      // One after the other, as models of real files are large.
      const auto with = [&](double padding) {
        Functional model = made(padding);
        return result(model, trials.draw(time, padding).padded);
      };
      const Tensors large = with(1e30), nan = with(nan_);
      return compare(base, padded, large, nan);
    }
    give_up("no number of steps gives a result");
  }

 private:
  // What a hostile file asks for, and no honest one: memory beyond all that it holds.
  bool is_huge() const {
    constexpr std::int64_t most = 1'000'000;
    for (const auto& input : read_.model.inputs) {
      for (const auto size : *input.shape) {
        if (size != any && size > most) return true;
      }
    }
    for (const auto& step : read_.flat.steps) {
      if (!step.layer) continue;
      for (const char* key : {"n", "size", "padding", "cropping"}) {
        const Json* value = config_at(step.layer->config, key);
        if (!value) continue;
        for (const auto& one : value->is_array() ? *value : Json::array({*value})) {
          if (one.is_number() && std::abs(one.get<double>()) > 1e6) return true;
        }
      }
    }
    return false;
  }
  // Each time from the first states, where layers carry them on.
  static Tensors result(Functional& model, const Tensors& inputs) {
    reset_states(model);
    return model.predict(inputs);
  }
  void tell(std::string text) { lint_.padding_reaches_result_is = std::move(text); }
  void give_up(const std::string& why) { tell("not measured: " + why); }

  // How far two results of a sequence are apart; `by_steps`: only at its own steps.
  double apart(const Tensor& a, const Tensor& b, std::size_t s) const {
    const auto as = rows::of<double>(a), bs = rows::of<double>(b);
    const auto per = std::ssize(as) / trial_sequences;
    const bool steps = trial_.has_time(a);
    const auto time = steps ? a.shape()[1] : 1;
    const auto inner = steps ? per / time : 1;
    const auto [from, to] = trial_spans(time)[s];
    double most = 0;
    for (std::int64_t i = 0; i < per; ++i) {
      const auto t = i / inner;
      if (steps && (t < from || t >= to)) continue;
      const auto at = static_cast<std::size_t>(static_cast<std::int64_t>(s) * per + i);
      most = std::max(most, distance(as[at], bs[at]));
    }
    return most;
  }
  static double distance(double a, double b) {
    if (std::isnan(a) && std::isnan(b)) return 0;
    if (a == b) return 0;
    const double d = std::abs(a - b);
    return std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
  }
  // Between a result in the batch and the same alone; none where it has no value alone.
  std::optional<double> apart_alone(const Tensor& batch, const Tensor& alone, std::size_t s) const {
    if (alone.has_mask() && !alone.mask().all_valid()) return {};
    if (alone.shape().count() == 0) return {};
    const auto as = rows::of<double>(batch), bs = rows::of<double>(alone);
    if (std::ranges::any_of(bs, [](double v) { return std::isnan(v); })) return {};
    const auto per = std::ssize(as) / trial_sequences;
    if (std::ssize(bs) > per) return {};
    // Steps of a sequence padded before stand at the end.
    constexpr std::size_t padded_before = 2;
    const bool at_end = batch.rank() > 2 && s == padded_before;
    const std::int64_t offset = at_end ? per - std::ssize(bs) : 0;
    double most = 0;
    for (std::int64_t i = 0; i < std::ssize(bs); ++i) {
      const auto at = static_cast<std::size_t>(static_cast<std::int64_t>(s) * per + offset + i);
      most = std::max(most, distance(as[at], bs[static_cast<std::size_t>(i)]));
    }
    return most;
  }

  void compare(Functional& model, const Tensors& padded, const Tensors& large, const Tensors& nan) {
    std::size_t without = 0;
    for (std::size_t o = 0; o < padded.size(); ++o) {
      lint_.proof.push_back({o < lint_.outputs.size() ? lint_.outputs[o] : "", 0.0, 0.0, 0.0});
    }
    for (std::size_t s = 0; s < trial_sequences; ++s) {
      bool value = true;
      Tensors alone;
      try {
        alone = result(model, trial_.alone[s]);
      } catch (const Error&) {
        value = false;
      }
      for (std::size_t o = 0; o < padded.size(); ++o) {
        auto& proof = lint_.proof[o];
        proof.large = std::max(*proof.large, apart(padded[o], large[o], s));
        proof.nan = std::max(*proof.nan, apart(padded[o], nan[o], s));
        const auto d = value ? apart_alone(padded[o], alone[o], s) : std::nullopt;
        if (d) proof.alone = std::max(*proof.alone, *d);
        if (!d && o == 0) ++without;
      }
    }
    decide(without);
  }
  void decide(std::size_t without) {
    double most = 0, moved = 0;
    for (const auto& proof : lint_.proof) {
      most = std::max(most, *proof.alone);
      moved = std::max({moved, *proof.large, *proof.nan});
    }
    if (made_steps()) {
      lint_.padding_reaches_result = true;
      return tell("the input has no axis of steps: a layer makes it");
    }
    constexpr double rounding = 1e-9;
    const bool same = most <= rounding && without == 0;
    lint_.padding_reaches_result = !same || moved > rounding;
    std::string text = fmt::format("measured: keras and alone differ by {:.3g}", most);
    if (without > 0)
      text += fmt::format("; {} of {} sequences have a value with padding alone", without,
                          trial_sequences);
    if (same && moved > rounding) text += "; other padding than zeros moves a result";
    tell(std::move(text));
  }
  // Whether no input has steps, and a layer inside makes some that another reads.
  bool made_steps() const {
    for (std::size_t i = 0; i < read_.model.inputs.size(); ++i) {
      if (has_steps(read_, i)) return false;
    }
    return std::ranges::any_of(
        lint_.calls, [](const LintCall& c) { return c.why.starts_with("reads padding"); });
  }

  static constexpr double nan_ = std::numeric_limits<double>::quiet_NaN();
  const KerasRead& read_;
  const KerasOptions& options_;
  Lint& lint_;
  LintTrial trial_;
};

}  // namespace

void prove(const KerasRead& read, const KerasOptions& options, Lint& lint) {
  try {
    LintProver(read, options, lint).run();
  } catch (const Error& error) {
    lint.proof.clear();
    lint.padding_reaches_result_is = std::string("not measured: ") + error.what();
  }
}

}  // namespace maskgrad::detail
