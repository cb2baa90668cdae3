#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include <maskgrad/layers/model/generate_steps.hpp>

namespace maskgrad::detail {
namespace {

constexpr double impossible = -std::numeric_limits<double>::infinity();

/// A continuation of one prompt.
struct Beam {
  Ids ids;
  double log_p = 0;
  std::int64_t place = 0;  ///< of the stream, whose state is that behind all but its last id
};

/// The beams of one prompt, the likeliest first.
struct Search {
  std::vector<Beam> open;
  std::vector<std::pair<double, Ids>> ended;  ///< with their scores

  void end(const Beam& beam, const GenerateOptions& o) {
    const auto length = static_cast<double>(std::max<std::size_t>(1, beam.ids.size()));
    ended.emplace_back(beam.log_p / std::pow(length, o.length_penalty), beam.ids);
  }
  /// As many have ended as are followed.
  bool done(const GenerateOptions& o) const { return std::ssize(ended) >= o.beam; }

  /// Each open beam goes on with each id; the likeliest stay, those that stop have ended.
  void step(const std::vector<std::vector<double>>& next, const GenerateOptions& o) {
    struct Candidate {
      double log_p;
      std::size_t beam, id;
    };
    std::vector<Candidate> all;
    for (std::size_t b = 0; b < open.size(); ++b) {
      const auto& log_p = next[static_cast<std::size_t>(open[b].place)];
      for (std::size_t id = 0; id < log_p.size(); ++id) {
        if (log_p[id] != impossible) all.push_back({open[b].log_p + log_p[id], b, id});
      }
    }
    // As many more as could end at once, so that enough stay open.
    const auto count = std::min(all.size(), static_cast<std::size_t>(o.beam) * (1 + o.stop.size()));
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                      [](const Candidate& a, const Candidate& b) {
                        return std::tuple(-a.log_p, a.beam, a.id) <
                               std::tuple(-b.log_p, b.beam, b.id);
                      });
    std::vector<Beam> stay;
    for (std::size_t i = 0; i < count && std::ssize(stay) < o.beam; ++i) {
      const auto& from = open[all[i].beam];
      Beam beam{from.ids, all[i].log_p, from.place};
      beam.ids.push_back(static_cast<std::int64_t>(all[i].id));
      if (!stops(beam.ids.back(), o)) {
        stay.push_back(std::move(beam));
      } else if (std::ssize(stay) < o.beam && i < static_cast<std::size_t>(o.beam)) {
        end(beam, o);
      }
    }
    open = std::move(stay);
  }

  Ids best(const GenerateOptions& o) {
    for (const auto& beam : open) end(beam, o);
    const auto found = std::max_element(
        ended.begin(), ended.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return found == ended.end() ? Ids{} : found->second;
  }
};

/// The prompts at the first place of each search, which are all open there.
Tensor at_first_places(const std::vector<Ids>& prompts, std::int64_t beam) {
  std::vector<Ids> places(prompts.size() * static_cast<std::size_t>(beam));
  for (std::size_t s = 0; s < prompts.size(); ++s)
    places[s * static_cast<std::size_t>(beam)] = prompts[s];
  return as_ids(places);
}

}  // namespace

std::vector<Ids> followed_by_beams(Stream& stream, const std::vector<Ids>& prompts,
                                   const GenerateOptions& o) {
  std::vector<Search> searches(prompts.size());
  auto next = log_probabilities(stream.push(at_first_places(prompts, o.beam)), o);
  for (std::size_t s = 0; s < prompts.size(); ++s) {
    searches[s].open.push_back({{}, 0, static_cast<std::int64_t>(s) * o.beam});
  }
  for (std::int64_t step = 0; step < o.max_steps; ++step) {
    std::vector<std::int64_t> from(next.size()), ids(next.size());
    std::vector<bool> open(next.size());
    for (std::size_t s = 0; s < searches.size(); ++s) {
      auto& search = searches[s];
      if (!search.done(o)) search.step(next, o);
      const auto first = s * static_cast<std::size_t>(o.beam);
      for (std::size_t b = 0; b < static_cast<std::size_t>(o.beam); ++b) {
        from[first + b] = static_cast<std::int64_t>(first + b);
        if (search.done(o) || b >= search.open.size()) continue;
        auto& beam = search.open[b];
        from[first + b] = beam.place;
        ids[first + b] = beam.ids.back();
        open[first + b] = true;
        beam.place = static_cast<std::int64_t>(first + b);
      }
    }
    if (step + 1 == o.max_steps || std::find(open.begin(), open.end(), true) == open.end()) break;
    stream.reorder(from);
    next = log_probabilities(stream.push(one_step(ids, open)), o);
  }
  std::vector<Ids> sequences = prompts;
  for (std::size_t s = 0; s < searches.size(); ++s) {
    const Ids more = searches[s].best(o);
    sequences[s].insert(sequences[s].end(), more.begin(), more.end());
  }
  return sequences;
}

}  // namespace maskgrad::detail
