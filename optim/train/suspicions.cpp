#include <maskgrad/optim/train/suspicions.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include <maskgrad/core/io/json.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad::detail {
namespace {

constexpr double slack = 1e-3;    // of probabilities, which are rounded
constexpr std::size_t few = 8;    // labels that may well be of one class by chance
constexpr std::size_t many = 16;  // values that are not all between 0 and 1 by chance

/// Which targets and predictions a loss takes.
enum class Takes { anything, binary, classes, sparse, distribution, counts };

/// The letters of a name alone: `BinaryCrossentropy` and `binary_crossentropy` are one.
std::string plain(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (c != '_') letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return letters;
}

Takes takes(const std::string& loss) {
  struct Row {
    std::string_view name;
    Takes takes;
  };
  constexpr std::array table = {
      Row{"binarycrossentropy", Takes::binary},
      Row{"binaryfocalcrossentropy", Takes::binary},
      Row{"categoricalcrossentropy", Takes::classes},
      Row{"categoricalfocalcrossentropy", Takes::classes},
      Row{"sparsecategoricalcrossentropy", Takes::sparse},
      Row{"kldivergence", Takes::distribution},
      Row{"poisson", Takes::counts},
      Row{"meansquaredlogarithmicerror", Takes::counts},
  };
  for (const auto& row : table) {
    if (loss == row.name) return row.takes;
  }
  return Takes::anything;
}

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  bool within(double from, double to) const { return low >= from && high <= to; }
};

Range range_of(const std::vector<double>& values) {
  Range range;
  for (const double v : values) {
    range.low = std::min(range.low, v);
    range.high = std::max(range.high, v);
  }
  return range;
}

/// The valid values of the first so many positions of `width` values, one after the other.
std::vector<double> values_of(const Tensor& x, std::int64_t width, std::int64_t positions) {
  const auto n = std::min(rows::total(x), positions * width);
  std::vector<double> values(static_cast<std::size_t>(n));
  extend::dispatch(x.dtype(),
                   [&]<class T>() { std::copy_n(rows::of<T>(x).begin(), n, values.begin()); });
  return values;
}

/// Whether the values of each position are of no sign and add up to 1.
bool add_up_to_1(const std::vector<double>& values, std::int64_t classes) {
  const auto width = static_cast<std::size_t>(classes);
  if (width < 2 || values.empty() || values.size() % width != 0) return false;
  for (std::size_t i = 0; i < values.size(); i += width) {
    double sum = 0;
    for (std::size_t k = 0; k < width; ++k) sum += values[i + k];
    if (!(std::abs(sum - 1) <= slack)) return false;
  }
  return range_of(values).low >= -slack;
}

struct Activation {
  std::string name;
  double low, high;
};

/// The activation among a layer's options; empty where there is none.
std::string activation_of(const LayerView& view) {
  if (!view.is_layer()) return {};
  try {
    extend::OptionWriter writer;
    view.write_options(writer);
    const SortedJson options = parse_own_json(writer.json());
    const auto at = options.find("activation");
    return at != options.end() && at->is_string() ? at->get<std::string>() : std::string();
  } catch (const Error&) {
    return {};  // a layer that lists no options
  }
}

/// What the last layer that has weights or an activation can give, where that has bounds.
std::optional<Activation> head(const ModelRef& model) {
  constexpr double none = std::numeric_limits<double>::infinity();
  const std::array<Activation, 6> bounded = {{{"sigmoid", 0, 1},
                                              {"hard_sigmoid", 0, 1},
                                              {"softmax", 0, 1},
                                              {"tanh", -1, 1},
                                              {"relu", 0, none},
                                              {"softplus", 0, none}}};
  std::string last;
  model.visit([&](const LayerView& view) {
    const std::string own = view.kind == "Softmax" ? "softmax" : activation_of(view);
    if (!own.empty() || !view.parameters.empty()) last = own;
  });
  for (const auto& a : bounded) {
    if (a.name == last) return a;
  }
  return {};
}

/// A training's target and prediction at the positions that count, and what its loss takes.
struct Case {
  std::string loss;
  Takes takes = Takes::anything;
  bool from_logits = true;
  std::int64_t width = 1;  // of a prediction
  std::vector<double> target, prediction;
  std::optional<Activation> head;
};

void check_targets(const Case& c, std::vector<std::string>& lines) {
  const Range t = range_of(c.target);
  const bool probabilities = c.takes == Takes::binary || c.takes == Takes::classes;
  if (probabilities && !t.within(-slack, 1 + slack)) {
    fail<OptionError>(c.loss,
                      "the targets are from {:.4g} to {:.4g}; expected 0 and 1, or probabilities "
                      "between them. Map labels of -1 and 1 by (y + 1) / 2 (or use hinge); numbers "
                      "to be met take mean_squared_error",
                      t.low, t.high);
  }
  if (c.takes == Takes::distribution && !t.within(-slack, 1 + slack)) {
    lines.push_back(
        fmt::format("the targets are from {:.4g} to {:.4g}, of which {} reads nothing "
                    "outside 0 and 1",
                    t.low, t.high, c.loss));
  }
  if (c.takes == Takes::counts && t.low < 0) {
    lines.push_back(
        fmt::format("a target is {:.4g}; {} is of numbers of 0 or more", t.low, c.loss));
  }
  if (c.takes == Takes::classes && !add_up_to_1(c.target, c.width)) {
    lines.push_back(
        fmt::format("the targets of a position do not add up to 1, as the classes' "
                    "probabilities under {} do",
                    c.loss));
  }
  if (c.takes == Takes::anything && c.head && c.target.size() == c.prediction.size() &&
      range_of(c.prediction).within(c.head->low, c.head->high) &&
      !t.within(c.head->low - slack, c.head->high + slack)) {
    lines.push_back(
        fmt::format("the targets are from {:.4g} to {:.4g}, which the last layer's "
                    "activation '{}' never gives",
                    t.low, t.high, c.head->name));
  }
}

void check_predictions(const Case& c, std::vector<std::string>& lines) {
  const Range p = range_of(c.prediction);
  const bool binary = c.takes == Takes::binary;
  if (!binary && c.takes != Takes::classes && c.takes != Takes::sparse) return;
  const std::string_view activation = binary ? "sigmoid" : "softmax";
  if (!c.from_logits && (p.low < -slack || (binary && p.high > 1 + slack))) {
    fail<OptionError>(c.loss,
                      "the predictions are from {:.4g} to {:.4g}, and .from_logits is false: they "
                      "should be probabilities. End the model with '{}', or leave from_logits true",
                      p.low, p.high, activation);
  }
  const bool by_head = c.head && c.head->name == activation;
  const bool odd =
      binary ? p.within(0, 1) && (by_head || c.prediction.size() >= many)
             : add_up_to_1(c.prediction, c.width) && (by_head || c.prediction.size() >= many);
  if (c.from_logits && odd) {
    lines.push_back(fmt::format(
        "the predictions look like probabilities{}, and {} takes logits: leave out the "
        "{}, or give the option from_logits false",
        by_head ? fmt::format(" (the last layer's activation is '{}')", activation) : "", c.loss,
        activation));
  }
}

/// Whether all labels of the batch are one class.
void check_classes(const Case& c, std::vector<std::string>& lines) {
  const auto width = static_cast<std::size_t>(c.takes == Takes::classes ? c.width : 1);
  const auto& t = c.target;
  const bool known =
      c.takes == Takes::binary || c.takes == Takes::classes || c.takes == Takes::sparse;
  if (!known || width == 0 || t.size() / width < few) return;
  for (std::size_t i = width; i < t.size(); ++i) {
    if (t[i] != t[i - width]) return;
  }
  const auto label =
      c.takes == Takes::classes
          ? static_cast<double>(std::max_element(t.begin(), t.begin() + c.width) - t.begin())
          : t[0];
  lines.push_back(
      fmt::format("all {} labels of the first step are {}: there is nothing to tell "
                  "apart, unless the data are in the order of their classes",
                  t.size() / width, label));
}

}  // namespace

std::vector<std::string> suspicions(const ModelRef& model, const TrainingLoss& loss,
                                    const Batch& batch, const Tensors& outputs) {
  if (!loss.by_name() || !batch.target.defined() || outputs.empty()) return {};
  const NoGrad no_grad;
  Case c;
  const auto space = std::min(loss.name().find(' '), loss.name().size());
  c.loss = loss.name().substr(0, space);
  if (plain(c.loss) == "ctc") return {};  // its labels are no values at the prediction's positions
  c.takes = takes(plain(c.loss));
  if (space < loss.name().size()) {
    const SortedJson options = parse_own_json(loss.name().substr(space + 1));
    if (options.is_object()) c.from_logits = options.value("from_logits", true);
  }
  const auto pair = losses::together(batch.target.value(), outputs[0].value());
  c.width = pair.prediction.rank() > 0 ? pair.prediction.shape().back() : 1;
  // Large outputs, as of many classes, are looked at in part.
  constexpr std::int64_t most = 1 << 20;
  const auto positions = std::max<std::int64_t>(1, most / std::max<std::int64_t>(1, c.width));
  const bool like = pair.target.rank() == pair.prediction.rank();
  c.target = values_of(pair.target, like ? c.width : 1, positions);
  c.prediction = values_of(pair.prediction, c.width, positions);
  if (c.target.empty() || c.prediction.empty()) return {};
  c.head = head(model);
  std::vector<std::string> lines;
  check_targets(c, lines);
  check_predictions(c, lines);
  check_classes(c, lines);
  return lines;
}

}  // namespace maskgrad::detail
