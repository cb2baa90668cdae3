#include <numeric>

#include <maskgrad/core/error.hpp>
#include <maskgrad/layers/layer/stream_rows.hpp>
#include <maskgrad/layers/model/stream.hpp>

// The places of a stream: what begins anew in them, and which goes on from which.

namespace maskgrad {

void Stream::restart(std::int64_t sequence) {
  check_place("Stream, restart", sequence);
  std::vector<bool> ends(state_.steps.size());
  ends[static_cast<std::size_t>(sequence)] = true;
  clear(ends);
}

void Stream::restart(std::int64_t sequence, const Tensors& context) {
  check_place("Stream, restart", sequence);
  auto& constants = state_.constants;
  const auto& now = constants.context;
  if (context.size() != now.size() || now.empty()) {
    fail<ShapeError>("Stream, restart", "a context of {} tensors; expected {}, as at its making",
                     context.size(), now.size());
  }
  std::vector<std::int64_t> from(state_.steps.size());
  std::iota(from.begin(), from.end(), 0);
  from[static_cast<std::size_t>(sequence)] = sequences();
  Tensors changed;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (!detail::are_alike({now[i], context[i]}) || context[i].shape()[0] != 1) {
      fail<ShapeError>(
          "Stream, restart",
          "{} is given where {} stood; expected the context of one sequence, [1, ...], "
          "the same but for the number of steps under a mask [1, time]",
          context[i].describe(), now[i].describe());
    }
    changed.push_back(detail::reordered(detail::one_behind_other({now[i], context[i]}), from));
  }
  restart(sequence);
  constants.context = std::move(changed);
  constants.context_of[static_cast<std::size_t>(sequence)] = constants.contexts++;
}

void Stream::clear(const std::vector<bool>& sequences) {
  std::vector<Tensors> cleared;  // all of them, before the first is set
  for (const auto& [place, slot] : state_.slots) {
    auto& next = cleared.emplace_back(slot.tensors);
    // Where no step is counted, what stands in the room is none.
    const auto from = slot.room && !next.empty() ? next.size() - 1 : 0;
    for (auto i = from; i < next.size(); ++i) next[i] = detail::cleared(next[i], sequences);
  }
  auto next = cleared.begin();
  for (auto& [place, slot] : state_.slots) {
    slot.tensors = std::move(*next++);
    slot.begins.resize(sequences.size());
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      slot.begins[s] = slot.begins[s] || sequences[s];
    }
  }
  auto& context_of = state_.constants.context_of;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    if (!sequences[s]) continue;
    state_.steps[s] = 0;
    if (!context_of.empty()) context_of[s] = -1;
  }
}

void Stream::reorder(const std::vector<std::int64_t>& from) {
  if (std::ssize(from) != sequences()) {
    fail<ShapeError>("Stream, reorder", "{} places; expected one for each of its {} sequences",
                     from.size(), sequences());
  }
  for (const auto s : from) check_place("Stream, reorder", s);
  const auto order = [&from](const auto& of) {
    auto ordered = of;
    for (std::size_t i = 0; i < of.size(); ++i) ordered[i] = of[static_cast<std::size_t>(from[i])];
    return ordered;
  };
  StreamState next = state_;
  next.steps = order(state_.steps);
  for (auto& [place, slot] : next.slots) {
    for (auto& t : slot.tensors) t = detail::reordered(t.value(), from);
    slot.begins = order(slot.begins);
    slot.shared = false;
  }
  auto& constants = next.constants;
  constants.context_of = order(constants.context_of);
  if (constants.context_of != state_.constants.context_of) {  // beams of one prompt share theirs
    for (auto& x : constants.context) x = detail::reordered(x.value(), from);
    for (auto& [place, made] : constants.of_context) {
      for (auto& x : made.tensors) x = detail::reordered(x.value(), from);
      made.of = order(made.of);
    }
  }
  state_ = std::move(next);
}

}  // namespace maskgrad
