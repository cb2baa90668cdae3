#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/laws/checker.hpp>

namespace maskgrad::laws {
namespace {

using Change = std::function<double(double)>;
struct Odd {
  std::string_view name;
  Change change;
};

const std::vector<Odd>& odd_values() {
  static const std::vector<Odd> all{
      {"NaN", [](double) { return std::nan(""); }},
      {"infinity", [](double) { return std::numeric_limits<double>::infinity(); }},
      {"-infinity", [](double) { return -std::numeric_limits<double>::infinity(); }}};
  return all;
}

/// Another value that is as good; it keeps signs, for functions that are not defined for all.
double another(double x) {
  return 1.25 * x;
}

bool alike(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

}  // namespace

/// The results of one sequence get a gradient of 0: what stands in it is not read.
void Checker::zero_selects(const Pattern& p) {
  const auto sequences = static_cast<std::int64_t>(p.batch.sequences.size());
  const bool alone = options_.not_alone.empty() && options_.batch_axis >= 0;
  if (!alone || role_ == MaskRole::produces || sequences < 2 || p.batch.time == 0) return;
  for (const auto& odd : odd_values()) {
    reads_nothing(1, p, {Unread::What::sequence, sequences / 2, odd.name, odd.change},
                  "the gradient of the results of a sequence is 0");
  }
}

/// Who propagates changes one row and no other when one row changes; and where the gradient of a
/// row is 0, nothing of it is read.
void Checker::rows_stay_apart(const Pattern& p, const Outcome& base) {
  std::size_t first = 0;
  while (subject_.inputs()[first].kind != InputKind::sequences) ++first;
  const Mask in = subject_.mask(p, p.batch, first);
  for (const auto& y : base.results) {
    if (!y.has_mask() || y.mask().shape() != in.shape()) return;
  }
  for (std::size_t i = 0; i < subject_.inputs().size(); ++i) {
    if (subject_.inputs()[i].kind != InputKind::sequences) continue;
    if (subject_.mask(p, p.batch, i).shape() != in.shape()) return;
  }
  const auto valid = in.valid();
  if (valid < 2) return;
  const auto& positions = in.impl().positions;
  for (const auto at : {positions[0], positions[valid / 2]}) {
    reads_nothing(3, p, {Unread::What::row, at, "another value", another}, "one row changes");
    for (const auto& odd : odd_values()) {
      reads_nothing(1, p, {Unread::What::row, at, odd.name, odd.change},
                    "the gradient of the results of a row is 0");
    }
  }
}

void Checker::reads_nothing(int law, const Pattern& p, const Unread& unread,
                            std::string_view text) {
  Unread clean = unread;
  clean.change = {};
  const Outcome a = subject_.run(p, p.batch, true, nothing_odd, clean);
  Outcome b;
  try {
    b = subject_.run(p, p.batch, true, nothing_odd, unread);
  } catch (const Error&) {
    return;  // what is refused reaches nothing
  }
  same_results(law, p, unread, a, b, text);
  same_gradients(law, p, unread, a, b, text);
}

void Checker::same_results(int law, const Pattern& p, const Unread& unread, const Outcome& a,
                           const Outcome& b, std::string_view text) {
  // What stands in the unread part may decide whether that has a result (ctc leaves out what
  // -infinity forbids): the others are compared, each by its place.
  const auto next = [&](const Tensor& x, std::int64_t i) {
    while (i < rows::total(x) && subject_.unread_result(unread, x, p.batch, i)) ++i;
    return i;
  };
  for (std::size_t k = 0; k < a.results.size(); ++k) {
    const Tensor &x = a.results[k], &y = b.results[k];
    ++report_.checks;
    std::int64_t i = next(x, 0), j = next(y, 0);
    const auto both = [&] { return i < rows::total(x) && j < rows::total(y); };
    const auto same_place = [&] {
      return checking::padded_index(x, i) == checking::padded_index(y, j);
    };
    while (both() && same_place() && alike(checking::value_at(x, i), checking::value_at(y, j))) {
      i = next(x, i + 1);
      j = next(y, j + 1);
    }
    const bool ended = i >= rows::total(x) && j >= rows::total(y);
    if (ended && x.shape() == y.shape() && x.dtype() == y.dtype()) continue;
    if (!both() || !same_place() || x.shape() != y.shape() || x.dtype() != y.dtype()) {
      put(law, "{}: result {} is {}, and {} with {} there", text, k, x.describe(), y.describe(),
          unread.name);
      continue;
    }
    put(law, "{}: {} of another is {:.10g}, and {:.10g} with {} there", text,
        checking::place("result " + std::to_string(k), checking::padded_index(x, i)),
        checking::value_at(x, i), checking::value_at(y, j), unread.name);
  }
}

void Checker::same_gradients(int law, const Pattern& p, const Unread& unread, const Outcome& a,
                             const Outcome& b, std::string_view text) {
  const auto one = [&](const Tensor& x, const Tensor& y, const std::string& name, auto&& apart) {
    ++report_.checks;
    for (std::int64_t i = 0; i < rows::total(x); ++i) {
      const double before = apart(i) ? 0 : checking::value_at(x, i);
      const double after = checking::value_at(y, i);
      const double most = options_.other_way * std::max(1.0, std::abs(before));
      if (alike(before, after) || std::abs(before - after) <= most) continue;
      put(law, "{}: the gradient of {} is {:.10g} with {} there; expected {:.10g}", text,
          checking::place(name, checking::padded_index(x, i)), after, unread.name, before);
      return;
    }
  };
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    const auto& input = subject_.inputs()[i];
    if (!a.gradients[i].defined()) continue;
    const int lead = input.kind == InputKind::samples ? 1 : 2;
    const auto inner = input.kind == InputKind::shared
                           ? rows::total(a.gradients[i])
                           : input.value.shape().count(lead, input.value.rank());
    one(a.gradients[i], b.gradients[i], input.name, [&](std::int64_t at) {
      return subject_.unread_input(unread, p, p.batch, i, at / inner, at % inner);
    });
  }
  for (std::size_t i = 0; i < a.variables.size(); ++i) {
    one(a.variables[i], b.variables[i], options_.variables[i].name,
        [](std::int64_t) { return false; });
  }
}

}  // namespace maskgrad::laws
