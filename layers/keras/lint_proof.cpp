#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/layers/keras/lint_parts.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::int64_t trial_sequences = 4, most_trial_steps = 160, usual_steps = 12;

// Which steps of each sequence are there: one full, one padded behind, one before, one short.
std::vector<std::pair<std::int64_t, std::int64_t>> trial_spans(std::int64_t time) {
  const auto part = [time](double of) {
    return std::max<std::int64_t>(
        1, static_cast<std::int64_t>(std::ceil(static_cast<double>(time) * of)) - (of < 1 ? 1 : 0));
  };
  return {{0, time}, {0, part(0.75)}, {time - part(0.65), time}, {0, part(0.35)}};
}

struct LintTrial {
  Tensors padded = {};              ///< the batch, padding as the file wants it
  std::vector<Tensors> alone = {};  ///< each sequence cut to its steps
  std::vector<std::pair<std::int64_t, std::int64_t>> spans = {};
  std::int64_t time = 1;
};

class LintProver {
 public:
  LintProver(const KerasRead& read, const KerasOptions& options, Lint& lint)
      : read_(read), options_(options), lint_(lint) {}

  void run() {
    if (is_huge()) return give_up("it has steps or sizes of more than a million");
    std::vector<std::string> troubles;
    KerasOptions dense = options_;
    dense.as_keras = true;
    // A sequence alone has no padding, so that this model is the right one for it too.
    const Functional made = make_keras(read_, dense, troubles);
    if (!troubles.empty()) return give_up(troubles[0]);
    Functional base = clone(made, DType::f64);
    const bool free = is_free(base);
    Functional large = clone(make_keras(read_, dense, troubles, 1e30), DType::f64);
    Functional nan = clone(make_keras(read_, dense, troubles, nan_), DType::f64);
    if (!troubles.empty()) return give_up(troubles[0]);
    for (const auto time : trial_times(free)) {
      if (time == 1) return tell("one step: nothing is padded");
      trial_ = draw(time, 0);
      const Tensors padded = result(base, trial_.padded);
      const auto none = [](const Tensor& y) { return y.shape().count() == 0; };
      if (std::ranges::any_of(padded, none)) continue;
      compare(base, padded, result(large, draw(time, 1e30).padded),
              result(nan, draw(time, nan_).padded));
      return;
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

  bool is_free(const Functional& model) const {
    const auto specs = model.built_for().specs("lint");
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (has_steps(read_, i) && specs[i].shape()[1] != any) return false;
    }
    return true;
  }
  // Numbers of steps to be tried, until windows fit into one.
  std::vector<std::int64_t> trial_times(bool free) const {
    for (std::size_t i = 0; i < read_.model.inputs.size(); ++i) {
      if (!has_steps(read_, i)) continue;
      const auto time = (*read_.model.inputs[i].shape)[1];
      if (time == any) break;
      if (free && time > most_trial_steps) return {most_trial_steps, time};
      return {time};
    }
    return {usual_steps, 64, 256, 1024};
  }

  // What a step of padding holds: the value that Masking looks for, else zero; of ids 0.
  double padding_of(std::size_t input, bool& read_by_mask) const {
    read_by_mask = false;
    for (const auto& step : read_.flat.steps) {
      const auto inputs = step.inputs();
      if (!step.layer || inputs.empty() || inputs[0].call != static_cast<int>(input)) continue;
      if (keras_traits(*step.layer, 3, any).role != KerasRole::makes) continue;
      read_by_mask = true;
      const Json* value = config_at(step.layer->config, "mask_value");
      if (value && value->is_number()) return value->get<double>();
    }
    return 0;
  }
  std::int64_t most_id(std::size_t input) const {
    std::int64_t most = 1'000'000;
    for (const auto& step : read_.flat.steps) {
      if (!step.layer || step.layer->class_name != "Embedding" || step.inputs().empty()) continue;
      auto from = step.inputs()[0];
      for (int i = 0; i < 20 && from.call >= std::ssize(read_.model.inputs); ++i) {
        const auto more = read_.flat.steps[static_cast<std::size_t>(from.call)].inputs();
        if (more.empty()) break;
        from = more[0];
      }
      if (from.call == static_cast<int>(input))
        most = std::min(most, config_whole(step.layer->config, "input_dim").value_or(2));
    }
    return std::max<std::int64_t>(2, most);
  }

  // `fill`: what padding is to be where nothing marks it; 0: what it is.
  LintTrial draw(std::int64_t time, double fill) const {
    LintTrial trial{.time = time};
    trial.spans = trial_spans(time);
    trial.alone.resize(trial_sequences);
    for (std::size_t i = 0; i < read_.model.inputs.size(); ++i) {
      auto sizes = *read_.model.inputs[i].shape;
      const bool steps = has_steps(read_, i);
      sizes[0] = trial_sequences;
      for (std::size_t axis = 1; axis < sizes.size(); ++axis) {
        if (sizes[axis] == any || (axis == 1 && steps)) sizes[axis] = axis == 1 && steps ? time : 4;
      }
      const Shape shape{std::span<const std::int64_t>(sizes)};
      Tensor x = random_normal(shape, Seed{100 + i}, DType::f64);
      if (read_.ids[i]) {
        const auto most = static_cast<double>(most_id(i));
        x = clip(floor(abs(x) * (most / 3)) + 1.0, 1, most - 1);
      }
      if (steps) {
        bool marked = false;
        double padding = padding_of(i, marked);
        if (!marked && fill != 0) padding = read_.ids[i] ? 1 : fill;
        x = padded(x, trial.spans, padding);
      }
      if (read_.ids[i]) x = cast(x, DType::i64);
      trial.padded.push_back(x);
      for (std::int64_t s = 0; s < trial_sequences; ++s) {
        const auto [from, to] = trial.spans[static_cast<std::size_t>(s)];
        const Tensor one = slice(x, 0, s, s + 1);
        trial.alone[static_cast<std::size_t>(s)].push_back(steps ? slice(one, 1, from, to) : one);
      }
    }
    return trial;
  }
  static Tensor padded(const Tensor& x,
                       const std::vector<std::pair<std::int64_t, std::int64_t>>& spans,
                       double padding) {
    const auto all = rows::of<double>(x);
    std::vector<double> values(all.begin(), all.end());
    if (values.empty()) return x;  // an input without features, or without steps
    const auto time = x.shape()[1];
    const auto inner = static_cast<std::int64_t>(values.size()) / (trial_sequences * time);
    for (std::int64_t i = 0; i < std::ssize(values); ++i) {
      const auto [from, to] = spans[static_cast<std::size_t>(i / (time * inner))];
      const auto t = i / inner % time;
      if (t < from || t >= to) values[static_cast<std::size_t>(i)] = padding;
    }
    return tensor(values, x.shape());
  }

  // How far two results of a sequence are apart; `by_steps`: only at its own steps.
  double apart(const Tensor& a, const Tensor& b, std::size_t s) const {
    const auto as = rows::of<double>(a), bs = rows::of<double>(b);
    const auto per = std::ssize(as) / trial_sequences;
    const bool steps = a.rank() > 2 && a.shape()[1] == trial_.time;
    const auto inner = steps ? per / trial_.time : 1;
    const auto [from, to] = trial_.spans[s];
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
    const bool steps = batch.rank() > 2;
    // Steps of a sequence padded before stand at the end.
    std::int64_t offset = 0;
    if (steps && trial_.spans[s].first > 0) offset = per - std::ssize(bs);
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
    double most = 0;
    for (const auto& proof : lint_.proof) most = std::max(most, *proof.alone);
    if (made_steps()) {
      lint_.padding_reaches_result = true;
      return tell("the input has no axis of steps: a layer makes it");
    }
    constexpr double rounding = 1e-9;
    lint_.padding_reaches_result = !(most <= rounding) || without > 0;
    std::string text = fmt::format("measured: keras and alone differ by {:.3g}", most);
    if (without > 0)
      text += fmt::format("; {} of {} sequences have a value with padding alone", without,
                          trial_sequences);
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
