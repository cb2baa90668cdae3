#include <maskgrad/layers/time_laws.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/gradients.hpp>
#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/layers/time_steps.hpp>

namespace maskgrad::detail {
namespace {

/// What was given of each output for each sequence, and a sum of it in which each value has a weight
/// of its own, by which gradients are compared.
class Collected {
 public:
  Collected(std::size_t sequences, bool so_far, DType dtype)
      : sequences_(sequences), so_far_(so_far), dtype_(dtype) {}

  /// `ended`: of results over the steps so far, those of these sequences count.
  void add(const Tensors& outputs, const std::vector<bool>& ended, bool gradients) {
    steps_.resize(outputs.size(), std::vector<Steps>(sequences_));
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      if (outputs[o].has_mask() && outputs[o].mask().rank() > 2) continue;  // pairs of steps
      if (gradients && is_real(outputs[o].dtype())) add_weighted(outputs[o], steps_[o], ended);
      for (std::size_t s = 0; s < sequences_; ++s) {
        if (!by_steps(outputs[o]) && !ended[s]) continue;
        for (auto& step : steps_in(outputs[o], static_cast<std::int64_t>(s))) {
          steps_[o][s].push_back(std::move(step));
        }
      }
    }
  }

  const Tensor& sum() const { return sum_; }
  /// Where it is not `other`, as `output 0, sequence 2: step 3 ...`; empty where it is.
  std::string difference(const Collected& other) const {
    for (std::size_t o = 0; o < steps_.size(); ++o) {
      for (std::size_t s = 0; s < sequences_; ++s) {
        const auto &a = steps_[o][s], &b = other.steps_[o][s];
        if (a.size() != b.size()) {
          return fmt::format("output {}, sequence {}: {} steps, the whole gives {}", o, s, a.size(),
                             b.size());
        }
        for (std::size_t k = 0; k < a.size(); ++k) {
          if (near(a[k], b[k], dtype_)) continue;
          return fmt::format("output {}, sequence {}, step {}: off by {:.2g} from the whole", o, s,
                             k, distance(a[k], b[k]));
        }
      }
    }
    return {};
  }

 private:
  bool by_steps(const Tensor& y) const { return has_steps(y) && !so_far_; }

  void add_weighted(const Tensor& y, const std::vector<Steps>& before,
                    const std::vector<bool>& ended) {
    std::vector<double> weights(static_cast<std::size_t>(rows::total(y)));
    const auto width = rows::inner(y) / (y.has_mask() ? 1 : y.shape()[0]);
    for (std::size_t s = 0; s < sequences_; ++s) {
      const auto place = static_cast<std::int64_t>(s);
      std::int64_t first = place, count = 1;
      if (!by_steps(y) && !ended[s]) continue;
      if (has_steps(y)) {
        first = y.mask().impl().first[place];
        count = y.mask().lengths()[s];
      } else if (y.has_mask()) {
        first = y.mask().impl().row_of()[place];
        count = first < 0 ? 0 : 1;
      }
      for (std::int64_t i = 0; i < count * width; ++i) {
        const auto at = static_cast<double>(before[s].size()) + static_cast<double>(i / width);
        weights[static_cast<std::size_t>(first * width + i)] = std::sin(
            1 + 3.7 * static_cast<double>(s) + 0.9 * at + 1.3 * static_cast<double>(i % width));
      }
    }
    const Tensor flat = tensor(weights, {std::ssize(weights)});
    const Tensor part = maskgrad::sum(y * cast(rows::share(flat, y.shape(), y.mask()), y.dtype()));
    sum_ = sum_.defined() ? sum_ + part : part;
  }

  std::size_t sequences_;
  bool so_far_;
  DType dtype_;
  std::vector<std::vector<Steps>> steps_;  ///< of each output, of each sequence
  Tensor sum_;
};

/// Numbers below `end`, drawn by a seed.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : seed_{seed} {}
  std::int64_t below(std::int64_t end) {
    return static_cast<std::int64_t>(random::unit_at(seed_, at_++) * static_cast<double>(end));
  }

 private:
  Seed seed_;
  std::uint64_t at_ = 0;
};

/// Pushes the inputs through a stream in pieces, each sequence in other ones, some of them empty.
Collected streamed(const TimeRunner& run, const Tensors& inputs, bool so_far, Draws& draws,
                   bool gradients) {
  const auto lengths = inputs[0].mask().lengths();
  const auto batch = lengths.size();
  Stream stream = run.stream(std::ssize(lengths));
  Collected collected(batch, so_far, computes_in(run, inputs));
  std::vector<std::int64_t> given(batch);
  std::vector<bool> open(batch, true);
  const std::vector<bool> none(batch);
  while (std::find(open.begin(), open.end(), true) != open.end()) {
    std::vector<std::int64_t> count(batch), ending;
    for (std::size_t s = 0; s < batch; ++s) {
      count[s] = std::min(draws.below(5), lengths[s] - given[s]);
    }
    Tensors piece;
    for (const auto& x : inputs) piece.push_back(steps_of(x, given, count));
    collected.add(stream.push(piece), none, gradients);
    for (std::size_t s = 0; s < batch; ++s) {
      given[s] += count[s];
      if (!open[s] || given[s] < lengths[s] || draws.below(2) == 0) continue;
      open[s] = false;
      ending.push_back(static_cast<std::int64_t>(s));
    }
    if (ending.empty()) continue;
    std::vector<bool> ended(batch);
    for (const auto s : ending) ended[static_cast<std::size_t>(s)] = true;
    collected.add(stream.finish(ending), ended, gradients);
  }
  return collected;
}

/// The gradients of a sum of outputs; undefined ones are those of nothing.
Tensors gradients_of(const Tensor& sum, const Tensors& of) {
  if (!sum.defined() || !sum.on_tape()) return Tensors(of.size());
  return gradients(sum, of, {.allow_unused = true});
}

void check_cutting(const TimeRunner& run, const TimeContract& declared, const Tensors& inputs,
                   std::uint64_t seed, LawReport& report) {
  Draws draws(seed);
  const auto time = inputs[0].shape()[1];
  std::vector<std::int64_t> lengths;
  for (std::int64_t s = 0; s < inputs[0].shape()[0]; ++s) {
    lengths.push_back(s == 0 ? time : draws.below(time + 1));
  }
  const std::string pattern =
      fmt::format("cutting {} of lengths [{}]", seed, fmt::join(lengths, ", "));
  const Mask mask = Mask::from_lengths(lengths, time);
  const bool trains = training();
  Tensors xs, of;
  for (const auto& x : inputs) {
    xs.push_back(is_real(x.dtype()) && trains ? x.with_grad() : x);
    if (xs.back().on_tape()) of.push_back(xs.back());
  }
  const auto masked = [&] {
    Tensors all;
    for (const auto& x : xs) all.push_back(x.with_mask(mask));
    return all;
  };
  of.insert(of.end(), run.parameters.begin(), run.parameters.end());
  const DType dtype = computes_in(run, inputs);
  Collected whole(lengths.size(), declared.so_far, dtype);
  {
    const NoiseScope same;
    whole.add(run.whole(masked()), std::vector<bool>(lengths.size(), true), trains);
  }
  const NoiseScope same;
  const Collected pieces = streamed(run, masked(), declared.so_far, draws, trains);
  ++report.checks;
  if (auto wrong = pieces.difference(whole); !wrong.empty()) {
    report.failures.push_back({8, pattern, std::move(wrong)});
  } else if (trains) {
    const auto a = gradients_of(pieces.sum(), of), b = gradients_of(whole.sum(), of);
    for (std::size_t i = 0; i < of.size(); ++i) {
      if (!a[i].defined() && !b[i].defined()) continue;
      const Tensor zero = zeros(of[i].shape(), of[i].dtype());
      const auto values = [&](const Tensor& g) {
        return cast((g.defined() ? g : zero).value(), DType::f64).to_vector<double>();
      };
      ++report.checks;
      if (near(values(a[i]), values(b[i]), dtype)) continue;
      report.failures.push_back({8, pattern,
                                 fmt::format("gradient {} is off by {:.2g} from that of the whole",
                                             i, distance(values(a[i]), values(b[i])))});
    }
  }
}

void check_reach(std::string_view what, std::int64_t declared, std::int64_t values,
                 std::int64_t there, std::int64_t far, LawReport& report) {
  const auto most = std::max(values, there);
  ++report.checks;
  if (values <= declared && std::min(declared, far) <= most) return;
  report.failures.push_back(
      {8, "every step changed or taken away",
       fmt::format("it declares to look {} {} steps, and was seen to look {}", what,
                   declared == endless ? "any number of" : std::to_string(declared), most)});
}

}  // namespace

LawReport check_time_laws(const TimeRunner& run, const TimeContract& declared,
                          const Tensors& inputs) {
  LawReport report;
  if (!declared.streamable()) {
    report.exempt.push_back(fmt::format("law 8: it does not stream, as {}", declared.why));
    return report;
  }
  if (!declared.so_far) {
    const auto seen = measured_time(run, declared, inputs);
    const auto far = (seen.steps - 1) / declared.stride * declared.stride;
    const auto there = [&](std::int64_t seen_there) { return run.at_most ? far : seen_there; };
    check_reach("back", declared.look_back, seen.back, there(seen.back_there), far, report);
    check_reach("ahead", declared.look_ahead, std::max(seen.ahead, seen.ahead_there),
                there(seen.ahead_there), far, report);
  }
  if (declared.evaluate_only) report.exempt.push_back("law 8 in training: under Evaluate alone");
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    if (!declared.evaluate_only) check_cutting(run, declared, inputs, seed, report);
    const Evaluate evaluate;
    check_cutting(run, declared, inputs, seed + 100, report);
  }
  return report;
}

}  // namespace maskgrad::detail
