#include <maskgrad/layers/model/generate.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/random.hpp>
#include <maskgrad/layers/model/generate_steps.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view op = "generate";

void check_option(bool good, std::string_view name, double value, std::string_view expected) {
  if (good) return;
  fail<OptionError>(op, "the option .{} is {}; expected {}", name, value, expected);
}

/// Of each prompt a seed of its own: of equal ones, by how many come before it.
std::vector<Seed> seeds_of(const std::vector<Ids>& prompts, Seed seed) {
  std::map<Ids, std::uint64_t> seen;
  std::vector<Seed> seeds;
  for (const auto& prompt : prompts) {
    Seed own = seed.of(op);
    for (const auto id : prompt) own = own.of(static_cast<std::uint64_t>(id));
    seeds.push_back(own.of(seen[prompt]++));
  }
  return seeds;
}

std::vector<std::size_t> by_size(const std::vector<double>& log_p) {
  std::vector<std::size_t> order(log_p.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return log_p[a] > log_p[b]; });
  return order;
}

std::int64_t likeliest(const std::vector<double>& log_p) {
  return std::max_element(log_p.begin(), log_p.end()) - log_p.begin();
}

/// An id by what is left of the distribution; `u` in [0, 1).
std::int64_t drawn(std::vector<double> log_p, const GenerateOptions& o, double u) {
  const double most = *std::max_element(log_p.begin(), log_p.end());
  for (double& v : log_p)
    v = (v - most) / o.temperature;  // the likeliest stays, however small it is
  log_p = log_softmax_of(std::move(log_p));
  const auto order = by_size(log_p);
  auto count =
      o.top_k > 0 ? std::min(order.size(), static_cast<std::size_t>(o.top_k)) : order.size();
  double all = 0;
  for (std::size_t i = 0; i < count; ++i) {
    all += std::exp(log_p[order[i]]);
    if (all >= o.top_p) count = i + 1;
  }
  double left = u * all;
  for (std::size_t i = 0; i < count; ++i) {
    left -= std::exp(log_p[order[i]]);
    if (left < 0) return static_cast<std::int64_t>(order[i]);
  }
  return static_cast<std::int64_t>(order[count - 1]);
}

/// Sequences that go on one by one.
std::vector<Ids> followed_singly(Stream& stream, std::vector<Ids> sequences, const Tensor& prompts,
                                 const GenerateOptions& o) {
  const auto seeds = seeds_of(sequences, o.seed);
  std::vector<bool> open(sequences.size(), true);
  auto next = log_probabilities(stream.push(prompts), o);
  for (std::int64_t step = 0; step < o.max_steps; ++step) {
    std::vector<std::int64_t> ids(sequences.size(), -1);
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      if (!open[s]) continue;
      const auto index = static_cast<std::uint64_t>(step);
      ids[s] = o.temperature == 0 ? likeliest(next[s])
                                  : drawn(next[s], o, random::unit_at(seeds[s], index));
      sequences[s].push_back(ids[s]);
      open[s] = !stops(ids[s], o);
    }
    if (o.on_step) o.on_step(ids);
    if (step + 1 == o.max_steps || std::find(open.begin(), open.end(), true) == open.end()) break;
    next = log_probabilities(stream.push(one_step(ids, open)), o);
  }
  return sequences;
}

}  // namespace

void check_generate(const Tensor& prompts, const GenerateOptions& o) {
  check_option(o.max_steps >= 0, "max_steps", static_cast<double>(o.max_steps), "0 or more");
  check_option(o.temperature >= 0 && std::isfinite(o.temperature), "temperature", o.temperature,
               "0 or more");
  check_option(o.top_k >= 0, "top_k", static_cast<double>(o.top_k), "0 or more");
  check_option(o.top_p > 0 && o.top_p <= 1, "top_p", o.top_p, "a probability above 0");
  check_option(o.beam >= 1, "beam", static_cast<double>(o.beam), "1 or more");
  check_option(std::isfinite(o.length_penalty), "length_penalty", o.length_penalty, "a number");
  check_option(o.beam == 1 || o.temperature == 0, "temperature", o.temperature,
               "0 with .beam, which takes the likeliest sequences");
  if (prompts.dtype() != DType::i64 || prompts.rank() != 2 || prompts.is_meta() ||
      (prompts.has_mask() && prompts.mask().rank() != 2)) {
    fail<ShapeError>(op,
                     "the prompts are {}; expected i64 [batch, time], under a mask [batch, time] "
                     "or none",
                     prompts.describe());
  }
}

std::int64_t places_of(const Tensor& prompts, const GenerateOptions& o) {
  return std::max<std::int64_t>(
      1, checked::product(op, "the places of all beams", {prompts.shape()[0], o.beam}));
}

Tensor generate(Stream& stream, const Tensor& prompts, const GenerateOptions& o) {
  const auto& time = stream.time();
  if (time.look_ahead != 0 || time.stride != 1 || time.so_far) {
    fail<OptionError>(op,
                      "the model reads its steps as: {}; expected one that gives the next id at "
                      "each step, without looking ahead",
                      time.str());
  }
  std::vector<Ids> sequences = ids_of(prompts);
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    if (!sequences[s].empty()) continue;
    fail<ShapeError>(op,
                     "prompt {} of {} has no step; expected one or more, such as an id that "
                     "begins each sequence",
                     s, prompts.describe());
  }
  if (sequences.empty() || o.max_steps == 0) return as_ids(sequences);
  return as_ids(o.beam == 1 ? followed_singly(stream, std::move(sequences), prompts, o)
                            : followed_by_beams(stream, sequences, o));
}

}  // namespace maskgrad::detail
