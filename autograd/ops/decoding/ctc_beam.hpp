#pragma once

#include <cstdint>
#include <vector>

#include <maskgrad/autograd/ops/decoding/ctc_decode.hpp>
#include <maskgrad/autograd/ops/decoding/found.hpp>

namespace maskgrad::decoding {

/// A prefix beam search through the steps of one sequence after the other.
class CtcBeam {
 public:
  CtcBeam(std::int64_t classes, const CTCBeamOptions& options);

  void begin();
  /// One step further, by the log probability of each class.
  void step(const double* log_p);
  /// The best prefixes, best first.
  std::vector<Path> best();

 private:
  /// A prefix that is or was in the beam, as a node of a tree: 0 is the empty one. A prefix has one
  /// node, so that what comes back into the beam is told from what is new to it.
  struct Prefix {
    std::int64_t parent, label;  ///< -1 of the empty one
    double weight = 0;           ///< the scorer's, of all its labels
    std::int64_t place = -1;     ///< in the beam; -1: not there
    std::int64_t child = -1;     ///< the newest
    std::int64_t sibling = -1;   ///< the next older child of the parent
  };
  /// A place of the beam: a prefix with the log probability of all paths that read as it, of those
  /// that end in a blank and of the others.
  struct Place {
    std::int64_t prefix;
    double blank, label, total;
    std::vector<double> weights = {};  ///< the scorer's, of each label behind it; NaN: not asked
  };
  /// A prefix that may stand in the next beam: that of place `from`, or with a label behind it.
  struct Candidate {
    double score, blank, label;
    std::int64_t from, appended;  ///< -1: none is
  };
  static bool better(const Candidate& a, const Candidate& b);

  Prefix& prefix(std::int64_t i) { return prefixes_[static_cast<std::size_t>(i)]; }
  Place& place(std::int64_t i) { return beam_[static_cast<std::size_t>(i)]; }
  /// Of the paths of a place those to which `label` appends a label, and no repeat.
  double open(const Place& p, std::int64_t label) {
    return prefix(p.prefix).label == label ? p.blank : p.total;
  }
  bool has_scorer() const { return options_.scorer.append != nullptr; }

  void order_labels(const double* log_p);
  void stay(std::int64_t at, const double* log_p);
  void append(std::int64_t at, const double* log_p);
  void offer(const Candidate& c);
  void keep();
  std::int64_t child(std::int64_t parent, std::int64_t label, double weight);
  double weight(Place& p, std::int64_t label);
  double checked_weight(double value, const char* which);
  /// The labels of a prefix, in labels_of_.
  const std::vector<std::int64_t>& labels(std::int64_t of);

  const std::int64_t classes_;
  const CTCBeamOptions& options_;
  std::vector<Prefix> prefixes_;
  std::vector<Place> beam_, next_;
  std::vector<Candidate> candidates_;  ///< a heap, the worst in front
  std::vector<std::int64_t> order_;    ///< labels, the likeliest first
  std::vector<std::int64_t> there_;    ///< of each label the last mark it got
  std::int64_t mark_ = 0;
  std::vector<std::int64_t> labels_of_;
  std::int64_t labels_are_of_ = -1;
};

}  // namespace maskgrad::decoding
