#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/laws/checker.hpp>

namespace maskgrad::laws {

/// Gradients of what sequences share, summed over parts.
class Checker::Sums {
 public:
  Sums(Checker& checker, const Outcome& whole) : checker_(checker) {
    const auto& inputs = checker.subject_.inputs();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].kind == InputKind::shared && whole.gradients[i].defined()) {
        begin(whole.gradients[i], inputs[i].name);
      }
    }
    for (std::size_t i = 0; i < whole.variables.size(); ++i) {
      begin(whole.variables[i], checker.options_.variables[i].name);
    }
  }
  void add(const Outcome& part) {
    std::size_t k = 0;
    const auto& inputs = checker_.subject_.inputs();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].kind == InputKind::shared && part.gradients[i].defined()) {
        sum(k++, part.gradients[i]);
      }
    }
    for (const auto& g : part.variables) sum(k++, g);
  }
  void compare(int law, std::string_view how) {
    for (std::size_t k = 0; k < names_.size(); ++k) {
      checker_.same(law, whole_[k], sums_[k], "the gradient of " + names_[k],
                    fmt::format("summed {}", how));
    }
  }

 private:
  void begin(const Tensor& g, const std::string& name) {
    names_.push_back(name);
    whole_.emplace_back();
    for (std::int64_t i = 0; i < rows::total(g); ++i) {
      whole_.back().push_back(checking::value_at(g, i));
    }
    sums_.emplace_back(whole_.back().size());
  }
  void sum(std::size_t k, const Tensor& g) {
    for (std::size_t i = 0; i < sums_[k].size(); ++i) {
      sums_[k][i] += checking::value_at(g, static_cast<std::int64_t>(i));
    }
  }
  Checker& checker_;
  std::vector<std::string> names_;
  std::vector<Values> whole_, sums_;
};

void Checker::alone_or_together(const Pattern& p, const Outcome& whole) {
  Sums sums(*this, whole);
  bool skipped = false;
  for (std::size_t s = 0; s < p.batch.sequences.size(); ++s) {
    const Batch one = subject_.alone(p, p.batch.sequences[s]);
    skipped = skipped || one.time == 0;
    if (one.time == 0 || p.batch.time == 0) continue;
    const Outcome out = subject_.run(p, one, false);
    same_sequences(2, p, {p.batch, whole}, {one, out}, "alone and unpadded");
    sums.add(out);
  }
  if (!skipped || options_.empty_gradient.empty()) sums.compare(2, "alone and unpadded");
}

void Checker::split(const Pattern& p, const Outcome& whole) {
  const auto n = static_cast<std::int64_t>(p.batch.sequences.size());
  for (std::int64_t size : {std::int64_t{1}, n / 2, n - 1}) {
    if (size < 1) continue;
    Sums sums(*this, whole);
    for (std::int64_t from = 0; from < n; from += size) {
      const auto begin = p.batch.sequences.begin();
      Batch one = subject_.cut({begin + from, begin + std::min(n, from + size)});
      if (p.batch.time == 0) one.time = 0, one.positions.clear();
      const Outcome out = subject_.run(p, one, true);
      same_sequences(5, p, {p.batch, whole}, {one, out}, "in a part of the batch");
      sums.add(out);
    }
    sums.compare(5, "in parts of the batch");
  }
}

/// Results and gradients of the sequences of `part` as they are in the whole batch.
void Checker::same_sequences(int law, const Pattern& p, const View& whole, const View& part,
                             std::string_view how) {
  const auto axis = options_.batch_axis;
  for (std::size_t s = 0; s < part.batch.sequences.size(); ++s) {
    const auto sequence = part.batch.sequences[s];
    const auto& all = whole.batch.sequences;
    const auto at =
        static_cast<std::size_t>(std::find(all.begin(), all.end(), sequence) - all.begin());
    for (std::size_t k = 0; k < part.out.results.size() && axis >= 0; ++k) {
      same(law, result_of(whole, k, at), result_of(part, k, s),
           fmt::format("result {} of sequence {}", k, sequence), how);
    }
    for (std::size_t i = 0; i < part.out.gradients.size(); ++i) {
      if (subject_.inputs()[i].kind == InputKind::shared || !part.out.gradients[i].defined()) {
        continue;
      }
      same(law, gradient_of(p, whole, i, at), gradient_of(p, part, i, s),
           fmt::format("the gradient of {} for sequence {}", subject_.inputs()[i].name, sequence),
           how);
    }
  }
}

Checker::Values Checker::result_of(const View& view, std::size_t k, std::size_t s) const {
  const Tensor& y = view.out.results[k];
  const auto n = static_cast<std::int64_t>(view.batch.sequences.size());
  const auto of = sequence_of_values(y, options_.batch_axis, n);
  Values values;
  for (std::size_t i = 0; i < of.size(); ++i) {
    if (of[i] == static_cast<std::int64_t>(s)) {
      values.push_back(checking::value_at(y, static_cast<std::int64_t>(i)));
    }
  }
  return values;
}

Checker::Values Checker::gradient_of(const Pattern& p, const View& view, std::size_t i,
                                     std::size_t s) const {
  const Tensor& g = view.out.gradients[i];
  const bool steps = subject_.inputs()[i].kind != InputKind::samples;
  const auto inner = g.shape().count(steps ? 2 : 1, g.rank());
  Values values;
  for (std::int64_t t = 0; t < (steps ? view.batch.time : 1); ++t) {
    const auto at = static_cast<std::int64_t>(s) * (steps ? view.batch.time : 1) + t;
    if (steps && !subject_.valid_step(p, view.batch.positions[static_cast<std::size_t>(at)]))
      continue;
    for (std::int64_t j = 0; j < inner; ++j) {
      values.push_back(checking::value_at(g, at * inner + j));
    }
  }
  return values;
}

void Checker::same(int law, const Values& whole, const Values& part, const std::string& what,
                   std::string_view how) {
  ++report_.checks;
  if (whole.size() != part.size()) {
    put(law, "{} has {} values in the batch, {} {}", what, whole.size(), part.size(), how);
    return;
  }
  double scale = 1;
  for (double v : whole) scale = std::max(scale, std::abs(v));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (std::abs(whole[i] - part[i]) <= options_.tolerance * scale) continue;
    put(law, "{}: value {} of {} is {:.12g} in the batch, {:.12g} {}", what, i, whole.size(),
        whole[i], part[i], how);
    return;
  }
}

}  // namespace maskgrad::laws
