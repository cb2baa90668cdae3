#include <maskgrad/autograd/ops/decoding/ctc_beam.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/ops/loss/sequence_dp.hpp>

namespace maskgrad::decoding {

using sequence_dp::log_add;
using sequence_dp::log_of_0;

CtcBeam::CtcBeam(std::int64_t classes, const CTCBeamOptions& options)
    : classes_(classes), options_(options), there_(static_cast<std::size_t>(classes), 0) {}

void CtcBeam::begin() {
  prefixes_.assign(1, {.parent = -1, .label = -1, .place = 0});
  beam_.clear();
  beam_.push_back({.prefix = 0, .blank = 0, .label = log_of_0, .total = 0});
  labels_are_of_ = -1;
}

void CtcBeam::step(const double* log_p) {
  order_labels(log_p);
  candidates_.clear();
  const auto places = static_cast<std::int64_t>(beam_.size());
  for (std::int64_t at = 0; at < places; ++at) stay(at, log_p);
  for (std::int64_t at = 0; at < places; ++at) append(at, log_p);
  keep();
}

/// Without a scorer no label behind the first beam_width + 1 is needed: of a prefix with any of
/// those behind it, all but a repeat of its last label score at least as high.
void CtcBeam::order_labels(const double* log_p) {
  order_.clear();
  for (std::int64_t c = 0; c < classes_; ++c) {
    if (c != options_.blank_index && log_p[c] > log_of_0) order_.push_back(c);
  }
  const auto all = static_cast<std::int64_t>(order_.size());
  const auto needed = has_scorer() || options_.beam_width >= all ? all : options_.beam_width + 1;
  const auto first = [log_p](std::int64_t a, std::int64_t b) {
    return log_p[a] > log_p[b] || (log_p[a] == log_p[b] && a < b);
  };
  const auto end = order_.begin() + std::min(needed, all);
  std::partial_sort(order_.begin(), end, order_.end(), first);
  order_.erase(end, order_.end());
}

/// A blank, a repeat, or the last label behind the prefix before it, where that is in the beam.
void CtcBeam::stay(std::int64_t at, const double* log_p) {
  const Place& p = place(at);
  const Prefix& own = prefix(p.prefix);
  Candidate c{.score = 0,
              .blank = p.total + log_p[options_.blank_index],
              .label = log_of_0,
              .from = at,
              .appended = -1};
  if (own.parent >= 0) {
    c.label = p.label + log_p[own.label];
    const auto before = prefix(own.parent).place;
    if (before >= 0) {
      c.label = log_add(c.label, open(place(before), own.label) + log_p[own.label]);
    }
  }
  c.score = log_add(c.blank, c.label) + own.weight;
  offer(c);
}

/// Labels that make a prefix which is not in the beam.
void CtcBeam::append(std::int64_t at, const double* log_p) {
  Place& p = place(at);
  const double so_far = prefix(p.prefix).weight;
  ++mark_;
  for (auto i = prefix(p.prefix).child; i >= 0; i = prefix(i).sibling) {
    if (prefix(i).place >= 0) there_[static_cast<std::size_t>(prefix(i).label)] = mark_;
  }
  for (const auto label : order_) {
    if (there_[static_cast<std::size_t>(label)] == mark_) continue;
    const bool full = static_cast<std::int64_t>(candidates_.size()) >= options_.beam_width;
    if (!has_scorer() && full && p.total + log_p[label] < candidates_.front().score) break;
    const double log_path = open(p, label) + log_p[label];
    if (log_path == log_of_0) continue;
    const double own = has_scorer() ? weight(p, label) : 0;
    offer({.score = log_path + so_far + own,
           .blank = log_of_0,
           .label = log_path,
           .from = at,
           .appended = label});
  }
}

bool CtcBeam::better(const Candidate& a, const Candidate& b) {
  if (a.score != b.score) return a.score > b.score;
  return a.from != b.from ? a.from < b.from : a.appended < b.appended;
}

void CtcBeam::offer(const Candidate& c) {
  if (!(c.score > log_of_0)) return;
  if (static_cast<std::int64_t>(candidates_.size()) >= options_.beam_width) {
    if (!better(c, candidates_.front())) return;
    std::pop_heap(candidates_.begin(), candidates_.end(), better);
    candidates_.pop_back();
  }
  candidates_.push_back(c);
  std::push_heap(candidates_.begin(), candidates_.end(), better);
}

/// Makes the candidates the beam, best first.
void CtcBeam::keep() {
  std::sort_heap(candidates_.begin(), candidates_.end(), better);
  for (const Place& p : beam_) prefix(p.prefix).place = -1;
  next_.clear();
  for (const Candidate& c : candidates_) {
    Place& from = place(c.from);
    Place to{.prefix = from.prefix,
             .blank = c.blank,
             .label = c.label,
             .total = log_add(c.blank, c.label)};
    if (c.appended >= 0) {
      const double own = has_scorer() ? weight(from, c.appended) : 0;
      to.prefix = child(from.prefix, c.appended, prefix(from.prefix).weight + own);
    }
    prefix(to.prefix).place = static_cast<std::int64_t>(next_.size());
    next_.push_back(std::move(to));
  }
  for (std::size_t i = 0; i < next_.size(); ++i) {
    if (candidates_[i].appended < 0)
      next_[i].weights = std::move(place(candidates_[i].from).weights);
  }
  std::swap(beam_, next_);
}

std::int64_t CtcBeam::child(std::int64_t parent, std::int64_t label, double weight) {
  for (auto i = prefix(parent).child; i >= 0; i = prefix(i).sibling) {
    if (prefix(i).label == label) return i;
  }
  const auto made = static_cast<std::int64_t>(prefixes_.size());
  prefixes_.push_back(
      {.parent = parent, .label = label, .weight = weight, .sibling = prefix(parent).child});
  prefix(parent).child = made;
  return made;
}

double CtcBeam::checked_weight(double value, const char* which) {
  if (value < -log_of_0) return value;
  fail<OptionError>("ctc_beam_decode",
                    "the option .scorer.{} gives {}; expected a log weight, or -infinity to forbid",
                    which, value);
}

double CtcBeam::weight(Place& p, std::int64_t label) {
  if (p.weights.empty()) p.weights.assign(static_cast<std::size_t>(classes_), std::nan(""));
  double& known = p.weights[static_cast<std::size_t>(label)];
  if (known != known) {
    known = checked_weight(options_.scorer.append(labels(p.prefix), label), "append");
  }
  return known;
}

const std::vector<std::int64_t>& CtcBeam::labels(std::int64_t of) {
  if (of == labels_are_of_) return labels_of_;
  labels_of_.clear();
  for (auto i = of; prefix(i).parent >= 0; i = prefix(i).parent) {
    labels_of_.push_back(prefix(i).label);
  }
  std::reverse(labels_of_.begin(), labels_of_.end());
  labels_are_of_ = of;
  return labels_of_;
}

std::vector<Path> CtcBeam::best() {
  std::vector<Path> paths;
  for (const Place& p : beam_) {
    Path path{labels(p.prefix), p.total + prefix(p.prefix).weight};
    if (options_.scorer.end) path.score += checked_weight(options_.scorer.end(path.labels), "end");
    if (path.score > log_of_0) paths.push_back(std::move(path));
  }
  std::sort(paths.begin(), paths.end(), [](const Path& a, const Path& b) {
    return a.score > b.score || (a.score == b.score && a.labels < b.labels);
  });
  if (static_cast<std::int64_t>(paths.size()) > options_.top_paths) {
    paths.resize(static_cast<std::size_t>(options_.top_paths));
  }
  return paths;
}

}  // namespace maskgrad::decoding
