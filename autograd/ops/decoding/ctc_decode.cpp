#include <maskgrad/autograd/ops/decoding/ctc_decode.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/ops/decoding/ctc_beam.hpp>
#include <maskgrad/autograd/ops/decoding/found.hpp>
#include <maskgrad/autograd/ops/loss/sequence_dp.hpp>
#include <maskgrad/core/checked.hpp>

namespace maskgrad {
namespace {

using decoding::Found;
using sequence_dp::log_of_0;

void check_decode(std::string_view where, const Tensor& logits, std::int64_t blank) {
  check::real(where, logits);
  check::rank(where, logits, 3, "[batch, time, classes]");
  check::inner_axis(where, logits, -1, "mask whole steps");
  const auto classes = logits.shape().back();
  if (blank >= 0 && (classes == any || blank < classes)) return;
  fail<OptionError>(where, "the option .blank_index is {} for logits {}; expected 0 to classes - 1",
                    blank, logits.describe());
}

void check_beam(std::string_view where, const CTCBeamOptions& options) {
  if (options.beam_width < 1) {
    fail<OptionError>(where, "the option .beam_width is {}; expected 1 or more",
                      options.beam_width);
  }
  if (options.top_paths >= 1 && options.top_paths <= options.beam_width) return;
  fail<OptionError>(where, "the option .top_paths is {}; expected 1 to .beam_width, which is {}",
                    options.top_paths, options.beam_width);
}

/// OptionError, with the place, where a step's logits have no softmax.
template <Real T>
void check_logits(std::string_view where, const Tensor& logits) {
  const auto values = rows::of<T>(logits);
  const auto classes = logits.shape().back();
  bool possible = false;
  for (std::int64_t i = 0; i < rows::total(logits); ++i) {
    const T v = values[static_cast<std::size_t>(i)];
    const auto place = [&] { return checking::place("logits", checking::padded_index(logits, i)); };
    if (!(v < std::numeric_limits<T>::infinity())) {
      fail<OptionError>(where,
                        "{} of {} is {}, so that no path is the best; expected numbers, or "
                        "-infinity to forbid a class. Look for what made it, or mask the step",
                        place(), logits.describe(), static_cast<double>(v));
    }
    possible = possible || static_cast<double>(v) > log_of_0;
    if (i % classes < classes - 1) continue;
    if (!possible) {
      fail<OptionError>(where,
                        "{} of {} is -infinity, and so are those of the step's other classes, "
                        "which has no path then; expected a class that is allowed. Use a low "
                        "number in place of -infinity, or mask the step",
                        place(), logits.describe());
    }
    possible = false;
  }
}

/// The log probability of each class.
template <Real T>
void log_softmax_of(const T* x, std::int64_t n, double* to) {
  const auto top = static_cast<double>(*std::max_element(x, x + n));
  double sum = 0;
  for (std::int64_t c = 0; c < n; ++c) sum += std::exp(static_cast<double>(x[c]) - top);
  const double by = std::log(sum);
  for (std::int64_t c = 0; c < n; ++c) to[c] = (static_cast<double>(x[c]) - top) - by;
}

/// Calls f(logits, log probabilities) for each step of a sequence.
template <Real T, class F>
void each_step(const Tensor& logits, const Sequences& steps, std::int64_t b,
               std::vector<double>& log_p, F&& f) {
  const auto classes = logits.shape().back();
  for (std::int64_t t = 0; t < steps.length[b]; ++t) {
    const T* x = rows::of<T>(logits).data() + (steps.first[b] + t) * classes;
    log_softmax_of(x, classes, log_p.data());
    f(x, log_p.data());
  }
}

template <Real T>
void greedy_path(const Tensor& logits, const CTCGreedyOptions& options, const Sequences& steps,
                 std::int64_t from, std::int64_t to, Found& found) {
  std::vector<double> room(static_cast<std::size_t>(logits.shape().back()));
  for (auto b = from; b < to; ++b) {
    if (steps.length[b] < 1) continue;
    decoding::Path path;
    std::int64_t last = -1;
    each_step<T>(logits, steps, b, room, [&](const T* x, const double* log_p) {
      const auto label = std::max_element(x, x + room.size()) - x;
      path.score += log_p[label];
      if (label != options.blank_index && !(options.merge_repeated && label == last)) {
        path.labels.push_back(label);
      }
      last = label;
    });
    found[static_cast<std::size_t>(b)].push_back(std::move(path));
  }
}

template <Real T>
void beam_search(const Tensor& logits, const CTCBeamOptions& options, const Sequences& steps,
                 std::int64_t from, std::int64_t to, Found& found) {
  std::vector<double> room(static_cast<std::size_t>(logits.shape().back()));
  decoding::CtcBeam search(logits.shape().back(), options);
  for (auto b = from; b < to; ++b) {
    if (steps.length[b] < 1) continue;
    search.begin();
    each_step<T>(logits, steps, b, room,
                 [&](const T*, const double* log_p) { search.step(log_p); });
    found[static_cast<std::size_t>(b)] = search.best();
  }
}

/// The labels of all paths as i64 `lead` + [longest].
Tensor decoded_labels(std::string_view op, const Found& found, const Shape& lead) {
  const auto n = lead.count(1, lead.rank());
  auto lengths = checked::vector<std::int64_t>(op, lead.count());
  for (std::size_t b = 0; b < found.size(); ++b) {
    auto at = lengths.begin() + static_cast<std::int64_t>(b) * n;
    for (const auto& path : found[b]) *at++ = static_cast<std::int64_t>(path.labels.size());
  }
  Mask mask = masks::from_lengths(lengths, any, masks::origin_here(op));
  const Shape shape = lead + Shape{mask.shape().back()};
  if (lead.rank() > 1) mask = masks::reshape(mask, shape);
  const Tensor y = rows::make(shape, DType::i64, mask);
  auto* to = rows::of_mutable<std::int64_t>(y).data();
  for (const auto& paths : found) {
    for (const auto& path : paths) to = std::copy(path.labels.begin(), path.labels.end(), to);
  }
  return y;
}

Tensor decoded_labels_meta(std::string_view op, const Shape& lead) {
  const Shape shape = lead + Shape{any};
  return rows::make_meta(shape, DType::i64, masks::meta(shape, masks::origin_here(op)));
}

}  // namespace

CTCDecodeResult ctc_greedy_decode(const Tensor& logits, const CTCGreedyOptions& options) {
  constexpr std::string_view op = "ctc_greedy_decode";
  check_decode(op, logits, options.blank_index);
  const Shape batch = logits.shape().sub(0, 1);
  if (logits.is_meta()) {
    return {decoded_labels_meta(op, batch), decoding::scores_meta(op, logits, batch)};
  }
  const Sequences steps = samples_of(logits);
  Found found(static_cast<std::size_t>(batch[0]));
  dispatch_real(op, logits.dtype(), [&]<class T>() {
    check_logits<T>(op, logits);
    sequence_dp::over_samples(batch[0], rows::total(logits),
                              [&](std::int64_t, std::int64_t from, std::int64_t to) {
                                greedy_path<T>(logits, options, steps, from, to, found);
                              });
  });
  return {decoded_labels(op, found, batch), decoding::scores_of(op, logits, found, batch)};
}

CTCDecodeResult ctc_beam_decode(const Tensor& logits, const CTCBeamOptions& options) {
  constexpr std::string_view op = "ctc_beam_decode";
  check_decode(op, logits, options.blank_index);
  check_beam(op, options);
  const auto batch = logits.shape()[0];
  checked::size_product(op, "sequences and paths", {batch, options.top_paths});
  const Shape lead{batch, options.top_paths};
  if (logits.is_meta()) {
    return {decoded_labels_meta(op, lead), decoding::scores_meta(op, logits, lead)};
  }
  const Sequences steps = samples_of(logits);
  Found found(static_cast<std::size_t>(batch));
  dispatch_real(op, logits.dtype(), [&]<class T>() {
    check_logits<T>(op, logits);
    // A scorer may run a model, in the mode of this thread, and need not bear several threads.
    if (options.scorer.append || options.scorer.end) {
      beam_search<T>(logits, options, steps, 0, batch, found);
      return;
    }
    const auto work = rows::total(logits) * std::min<std::int64_t>(options.beam_width, 64);
    sequence_dp::over_samples(batch, work, [&](std::int64_t, std::int64_t from, std::int64_t to) {
      beam_search<T>(logits, options, steps, from, to, found);
    });
  });
  return {decoded_labels(op, found, lead), decoding::scores_of(op, logits, found, lead)};
}

}  // namespace maskgrad
