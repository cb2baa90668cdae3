#include <maskgrad/autograd/ops/decoding/crf_decode_best.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/decoding/found.hpp>
#include <maskgrad/autograd/ops/loss/crf_chain.hpp>
#include <maskgrad/autograd/ops/loss/crf_checks.hpp>
#include <maskgrad/core/checked.hpp>

namespace maskgrad {
namespace {

using decoding::Found;
using decoding::Path;
using sequence_dp::Chain;

constexpr std::string_view crf_decode_best_op = "crf_decode_best";

/// The best paths through one sequence, made of the best that end at each step and tag.
template <Real T>
class ListViterbi {
 public:
  ListViterbi(const Chain<T>& chain, std::int64_t n) : chain_(chain), n_(n) {}

  std::vector<Path> best() {
    begin();
    for (std::int64_t t = 1; t < chain_.steps; ++t) step(t);
    std::vector<Path> paths;
    merge([](std::int64_t) { return 0.0; },
          [&](const Head& head) {
            paths.push_back({trace(head.tag, head.rank), head.score});
          });
    return paths;
  }

 private:
  /// The tag before the last one of a path, and the path's rank among those that ended there.
  struct Link {
    std::int64_t tag, rank;
  };
  /// The paths that end at a step: those of tag j from begin[j] on, best first.
  struct Ends {
    std::vector<std::int64_t> begin{0};
    std::vector<Link> links;
    std::vector<double> scores;  ///< of the latest step alone

    void put(Link link, double score) {
      if (!(score > sequence_dp::log_of_0)) return;
      links.push_back(link);
      scores.push_back(score);
    }
    void end_tag() { begin.push_back(static_cast<std::int64_t>(links.size())); }
    std::int64_t at(std::int64_t tag, std::int64_t rank) const {
      return begin[static_cast<std::size_t>(tag)] + rank;
    }
  };
  /// A path that ends at the latest step, with what follows it.
  struct Head {
    double score;
    std::int64_t tag, rank;
  };
  static bool worse(const Head& a, const Head& b) {
    return a.score != b.score ? a.score < b.score : a.tag > b.tag;
  }

  void begin() {
    Ends& first = ends_.emplace_back();
    for (std::int64_t j = 0; j < chain_.tags; ++j) {
      first.put({-1, -1}, chain_.potential(0, j));
      first.end_tag();
    }
  }

  void step(std::int64_t t) {
    Ends next;
    for (std::int64_t j = 0; j < chain_.tags; ++j) {
      merge([&](std::int64_t i) { return chain_.transition(i, j); },
            [&](const Head& head) {
              next.put({head.tag, head.rank}, head.score + chain_.potential(t, j));
            });
      next.end_tag();
    }
    ends_.back().scores = {};
    ends_.push_back(std::move(next));
  }

  /// Takes the n best of the paths that end at the latest step, of any tag, each with link(tag)
  /// added to its score. Of each tag the best that is left stands in the heap.
  template <class LinkScore, class Take>
  void merge(LinkScore&& link, Take&& take) {
    const Ends& ends = ends_.back();
    const auto push = [&](std::int64_t tag, std::int64_t rank) {
      const auto at = ends.at(tag, rank);
      if (at >= ends.at(tag + 1, 0)) return;
      const double score = ends.scores[static_cast<std::size_t>(at)] + link(tag);
      if (!(score > sequence_dp::log_of_0)) return;
      heap_.push_back({score, tag, rank});
      std::push_heap(heap_.begin(), heap_.end(), worse);
    };
    heap_.clear();
    for (std::int64_t tag = 0; tag < chain_.tags; ++tag) push(tag, 0);
    for (std::int64_t taken = 0; taken < n_ && !heap_.empty(); ++taken) {
      std::pop_heap(heap_.begin(), heap_.end(), worse);
      const Head head = heap_.back();
      heap_.pop_back();
      take(head);
      push(head.tag, head.rank + 1);
    }
  }

  std::vector<std::int64_t> trace(std::int64_t tag, std::int64_t rank) const {
    std::vector<std::int64_t> path(static_cast<std::size_t>(chain_.steps));
    for (auto t = path.size(); t-- > 0;) {
      path[t] = tag;
      const Ends& ends = ends_[t];
      const Link& link = ends.links[static_cast<std::size_t>(ends.at(tag, rank))];
      tag = link.tag;
      rank = link.rank;
    }
    return path;
  }

  const Chain<T>& chain_;
  const std::int64_t n_;
  std::vector<Ends> ends_;
  std::vector<Head> heap_;
};

/// The tags of all paths, [batch, n, time], at the valid steps of x.
Tensor tags_of(const Tensor& x, const Sequences& steps, const Found& found, std::int64_t n) {
  const auto batch = x.shape()[0], time = x.shape()[1];
  const Shape shape{batch, n, time};
  const auto full = [n](const auto& paths) { return static_cast<std::int64_t>(paths.size()) == n; };
  Mask mask;
  if (x.has_mask() || !std::all_of(found.begin(), found.end(), full)) {
    const auto step = step_of_rows(x);
    auto bits = checked::vector<std::uint8_t>(crf_decode_best_op, shape.count());
    for (std::int64_t b = 0; b < batch; ++b) {
      auto at = bits.begin() + b * n * time;
      for (std::size_t k = 0; k < found[static_cast<std::size_t>(b)].size(); ++k, at += time) {
        for (std::int64_t t = 0; t < steps.length[b]; ++t) at[step[steps.first[b] + t]] = 1;
      }
    }
    mask = masks::from_bits(bits, shape, masks::origin_here(crf_decode_best_op));
  }
  const Tensor y = rows::make(shape, DType::i64, mask);
  auto* to = rows::of_mutable<std::int64_t>(y).data();
  for (const auto& paths : found) {
    for (const auto& path : paths) to = std::copy(path.labels.begin(), path.labels.end(), to);
  }
  return y;
}

CRFDecodeResult without_data(const Tensor& x, std::int64_t n) {
  const Shape shape{x.shape()[0], n, x.shape()[1]};
  const bool possible = !x.has_mask() || masks::is_possible(x.mask());
  const Mask mask = masks::meta(shape, masks::origin_here(crf_decode_best_op), possible);
  return {rows::make_meta(shape, DType::i64, mask),
          decoding::scores_meta(crf_decode_best_op, x, shape.sub(0, 2))};
}

}  // namespace

CRFDecodeResult crf_decode_best(const Tensor& potentials, const Tensor& transitions,
                                std::int64_t n) {
  constexpr std::string_view op = crf_decode_best_op;
  const Tensor& x = potentials;
  sequence_dp::check_chain(op, x, transitions);
  if (n < 1) fail<OptionError>(op, "n is {}; expected 1 or more sequences of tags", n);
  const auto batch = x.shape()[0], tags = x.shape().back();
  checked::size_product(op, "sequences, n and steps", {batch, n, x.shape()[1]});
  if (x.is_meta()) return without_data(x, n);
  const Sequences steps = samples_of(x);
  sequence_dp::check_scores(op, x, transitions, steps);
  Found found(static_cast<std::size_t>(batch));
  dispatch_real(op, x.dtype(), [&]<class T>() {
    const auto search = [&](std::int64_t, std::int64_t from, std::int64_t to) {
      for (auto b = from; b < to; ++b) {
        if (steps.length[b] < 1) continue;
        const Chain<T> chain{rows::of<T>(x).data() + steps.first[b] * tags,
                             rows::of<T>(transitions).data(), steps.length[b], tags};
        found[static_cast<std::size_t>(b)] = ListViterbi<T>(chain, n).best();
      }
    };
    const auto work = rows::total(x) * (tags + std::min<std::int64_t>(n, 64));
    sequence_dp::over_samples(batch, work, search);
  });
  return {tags_of(x, steps, found, n), decoding::scores_of(op, x, found, {batch, n})};
}

}  // namespace maskgrad
