#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <maskgrad/autograd/laws/run.hpp>

namespace maskgrad::laws {
namespace {

/// Whether step t of line l (of `steps`) is valid.
bool valid_at(std::string_view kind, std::int64_t l, std::int64_t t, std::int64_t steps) {
  const auto length = steps - l % std::max<std::int64_t>(steps, 1);
  if (kind == "left") return t >= steps - length;
  if (kind == "holes") return (t + l) % 3 != 1 || steps == 1;
  if (kind == "one valid step") return t == (2 * l + 1) % steps;
  if (kind == "an empty sequence") return l != 1 && t < length;
  if (kind == "all empty") return false;
  if (kind == "all valid") return true;
  return t < length;  // right
}

std::vector<bool> bits_of(std::string_view kind, const Shape& shape) {
  const auto steps = shape.back();
  std::vector<bool> bits(static_cast<std::size_t>(shape.count()));
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    bits[i] = valid_at(kind, at / steps, at % steps, steps);
  }
  return bits;
}

}  // namespace

std::string_view name(MaskOver over) {
  switch (over) {
    case MaskOver::steps:
      return "[batch, time]";
    case MaskOver::samples:
      return "[batch]";
    case MaskOver::full:
      return "every axis";
    default:
      return "no mask";
  }
}

const std::vector<Garbage>& garbage_kinds() {
  constexpr auto inf = std::numeric_limits<double>::infinity();
  using Ids = std::numeric_limits<std::int64_t>;
  static const std::vector<Garbage> kinds{{"1e30", 1e30, Ids::max(), true},
                                          {"NaN", std::nan(""), -1, true},
                                          {"infinity", inf, Ids::min(), true}};
  return kinds;
}

Batch Subject::cut(const std::vector<std::int64_t>& sequences) const {
  Batch batch{sequences, time_, {}};
  for (auto s : sequences) {
    for (std::int64_t t = 0; t < time_; ++t) batch.positions.push_back(s * time_ + t);
  }
  return batch;
}

Batch Subject::alone(const Pattern& pattern, std::int64_t sequence) const {
  Batch batch{{sequence}, 0, {}};
  for (std::int64_t t = 0; t < time_; ++t) {
    const auto place = sequence * time_ + t;
    if (valid_step(pattern, place)) batch.positions.push_back(place);
  }
  batch.time = static_cast<std::int64_t>(batch.positions.size());
  return batch;
}

Pattern Subject::make(std::string_view kind, MaskOver over, Batch batch) const {
  Pattern p;
  p.name = kind;
  p.over = over;
  if (over == MaskOver::steps) p.bits = bits_of(kind, {batch_, time_});
  if (over == MaskOver::samples) p.bits = bits_of(kind, {batch_});
  p.any_valid = !batch.sequences.empty() && batch.time > 0 && kind != "all empty";
  p.batch = std::move(batch);
  if (over != MaskOver::full) return p;
  p.full.resize(inputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].kind == InputKind::sequences)
      p.full[i] = bits_of(kind, inputs_[i].value.shape());
  }
  // What is covered has no mask of its own: that of an input of the same shape decides.
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    for (std::size_t k = 0; k < inputs_.size() && inputs_[i].kind == InputKind::covered; ++k) {
      if (inputs_[k].kind != InputKind::sequences) continue;
      if (inputs_[k].value.shape() == inputs_[i].value.shape()) p.full[i] = p.full[k];
    }
  }
  return p;
}

std::vector<Pattern> Subject::patterns(MaskOver over) const {
  std::vector<std::int64_t> every(static_cast<std::size_t>(batch_));
  std::iota(every.begin(), every.end(), 0);
  std::vector<Pattern> all;
  for (const char* kind : {"right", "left", "holes", "one valid step", "an empty sequence",
                           "all empty", "all valid"}) {
    const std::string_view k = kind;
    if (over == MaskOver::samples && k == "an empty sequence") continue;
    if (over == MaskOver::nothing && k != "all valid") continue;
    all.push_back(make(kind, over, cut(every)));
  }
  all.push_back(make("holes", over, cut({0})));
  all.back().name = "batch of one";
  all.push_back(make("holes", over, cut({})));
  all.back().name = "no sequences";
  if (has_time_ && over == MaskOver::steps && options_.fixed_steps.empty()) {
    all.push_back(make("holes", over, Batch{every, 0, {}}));
    all.back().name = "no steps";
  }
  return all;
}

bool Subject::valid_step(const Pattern& p, std::int64_t place) const {
  if (p.over == MaskOver::steps) return p.bits[static_cast<std::size_t>(place)];
  if (p.over == MaskOver::samples) return p.bits[static_cast<std::size_t>(place / time_)];
  return true;
}

bool Subject::valid(const Pattern& p, std::size_t i, std::int64_t place, std::int64_t k) const {
  if (p.over != MaskOver::full) return valid_step(p, place);
  const auto inner = inputs_[i].value.shape().count(2, inputs_[i].value.rank());
  return p.full[i].empty() || p.full[i][static_cast<std::size_t>(place * inner + k)];
}

}  // namespace maskgrad::laws
