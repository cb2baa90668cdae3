#include <maskgrad/layers/model/stream.hpp>

#include <algorithm>
#include <numeric>
#include <optional>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/layers/model/stream_rows.hpp>

namespace maskgrad {
namespace {

/// x under the mask of a stream's steps: where it has none, all of them are there.
Tensor as_steps(const Tensor& x, std::int64_t sequences) {
  if (x.rank() < 2 || x.shape()[0] != sequences || rows::mask_rank(x) == 1 ||
      rows::mask_rank(x) > 2) {
    fail<ShapeError>("Stream, push",
                     "input is {}; expected [sequences, time, ...] with {} sequences, under a mask "
                     "[sequences, time] or none",
                     x.describe(), sequences);
  }
  if (x.has_mask()) return x;
  const auto time = x.shape()[1];
  const std::vector<std::int64_t> lengths(static_cast<std::size_t>(sequences), time);
  return with_mask(x, Mask::from_lengths(lengths, time));
}

/// Each sequence of x for `copies` places side by side, under a mask of its own.
Tensor for_places(const Tensor& x, std::int64_t sequences) {
  if (x.rank() == 0 || x.shape()[0] == 0 || sequences % x.shape()[0] != 0 ||
      rows::mask_rank(x) > 2) {
    fail<ShapeError>("Stream",
                     "the context is {}; expected [sequences, ...] with {} sequences, or with a "
                     "part of them, each for as many places, under a mask over sequences or their "
                     "steps",
                     x.describe(), sequences);
  }
  const auto copies = sequences / x.shape()[0];
  std::vector<std::int64_t> from;
  for (std::int64_t s = 0; s < sequences; ++s) from.push_back(s / copies);
  return detail::reordered(x, from);
}

}  // namespace

Stream::Stream(std::shared_ptr<const Run> run, TimeContract time, StreamOptions options)
    : run_(std::move(run)),
      time_(time),
      training_(training()),
      batch_invariant_(options.batch_invariant) {
  if (options.sequences < 1) {
    fail<OptionError>("Stream", "the option .sequences is {}; expected 1 or more",
                      options.sequences);
  }
  state_.steps = checked::vector<std::int64_t>("Stream", options.sequences);
  if (options.context.empty()) return;
  if (batch_invariant_) {
    fail<OptionError>("Stream",
                      "the option .batch_invariant is true with .context, which is read for all "
                      "sequences together; give one of the two, or a stream to each sequence");
  }
  for (const auto& x : options.context) {
    state_.constants.context.push_back(for_places(x, options.sequences));
    if (x.shape()[0] == options.context[0].shape()[0]) continue;
    fail<ShapeError>("Stream", "the context is {} and {}; expected the same number of sequences",
                     options.context[0].describe(), x.describe());
  }
  const auto copies = options.sequences / options.context[0].shape()[0];
  for (std::int64_t s = 0; s < options.sequences; ++s) state_.context_of.push_back(s / copies);
}

Stream::Stream(const Stream& other)
    : run_(other.run_),
      time_(other.time_),
      state_(other.state()),
      last_inputs_(other.last_inputs_),
      training_(other.training_),
      batch_invariant_(other.batch_invariant_),
      noise_(other.noise_) {}
Stream& Stream::operator=(const Stream& other) {
  return *this = Stream(other);
}

StreamState Stream::state() const {
  for (const auto& [place, slot] : state_.slots) slot.shared = true;
  return state_;
}

void Stream::set_state(const StreamState& state) {
  if (std::ssize(state.steps) != sequences()) {
    fail<ShapeError>("Stream, set_state", "a state of {} sequences; the stream has {}",
                     state.steps.size(), sequences());
  }
  for (const auto& [place, slot] : state.slots) slot.shared = true;
  state_ = state;
}

void Stream::check_place(std::string_view where, std::int64_t sequence) const {
  if (sequence >= 0 && sequence < sequences()) return;
  fail<IndexError>(where, "there is no sequence {}; the stream has {}, numbered from 0", sequence,
                   sequences());
}

std::int64_t Stream::steps(std::int64_t sequence) const {
  check_place("Stream, steps", sequence);
  return state_.steps[static_cast<std::size_t>(sequence)];
}

void Stream::check_context(const Tensors& inputs) const {
  const auto lengths = inputs[0].mask().lengths();
  for (std::size_t s = 0; s < state_.context_of.size(); ++s) {
    if (state_.context_of[s] >= 0 || lengths[s] == 0) continue;
    fail<StateError>("Stream, push",
                     "sequence {} begins anew, and its context is not given; call "
                     "restart({}, context) before its first steps",
                     s, s);
  }
}

Tensors Stream::run(const Tensors& inputs, const std::vector<bool>& ends) {
  if (training() != training_) {
    fail<StateError>("Stream", "it was made {}; use it there, or make one where it is used",
                     training_ ? "for training, and is used under Evaluate"
                               : "under Evaluate, and is used in training");
  }
  // All pushes draw what one call draws, and the model's other calls count as if there were one.
  std::optional<NoiseScope> put_back;
  if (training_ && !last_inputs_.empty()) put_back.emplace();
  if (training_) noise_.again();
  check_context(inputs);
  auto slots = state_.slots;  // nothing changes where it throws
  Tensors outputs, given = inputs;
  given.insert(given.end(), state_.constants.context.begin(), state_.constants.context.end());
  {
    const detail::StreamRun push(slots, ends, true, &state_.constants);
    outputs = (*run_)(given);
  }
  for (auto& [place, slot] : slots) slot.begins.clear();
  const auto lengths = inputs[0].mask().lengths();
  for (std::size_t s = 0; s < lengths.size(); ++s) state_.steps[s] += lengths[s];
  state_.slots = std::move(slots);
  return outputs;
}

Tensors Stream::run_singly(const Tensors& inputs, const std::vector<bool>& ends) {
  const auto lengths = inputs[0].mask().lengths();
  const StreamState before = state();
  std::vector<Tensors> made;
  try {
    for (std::size_t s = 0; s < ends.size(); ++s) {
      std::vector<std::int64_t> first(ends.size()), count(ends.size());
      std::vector<bool> end(ends.size());
      for (count[s] = 1; first[s] < lengths[s]; ++first[s]) {
        Tensors one;
        for (const auto& x : inputs) one.push_back(detail::steps_of(x, first, count));
        made.push_back(run(one, end));
      }
      count[s] = 0;
      end[s] = ends[s];
      if (!ends[s] && (s > 0 || !made.empty())) continue;
      Tensors none;
      for (const auto& x : inputs) none.push_back(detail::steps_of(x, first, count));
      made.push_back(run(none, end));
    }
  } catch (...) {
    state_ = before;
    throw;
  }
  return detail::put_together(made, time_.so_far);
}

Tensors Stream::push(const Tensors& inputs) {
  if (inputs.empty()) fail<ShapeError>("Stream, push", "no inputs; expected one or more");
  Tensors steps;
  for (const auto& x : inputs) steps.push_back(as_steps(x, sequences()));
  const std::vector<bool> none(static_cast<std::size_t>(sequences()));
  Tensors outputs = batch_invariant_ ? run_singly(steps, none) : run(steps, none);
  for (auto& x : steps) x = x.value();
  last_inputs_ = std::move(steps);
  return outputs;
}

Tensors Stream::finish(const std::vector<std::int64_t>& sequences) {
  std::vector<bool> ends(state_.steps.size());
  for (const auto s : sequences) {
    check_place("Stream, finish", s);
    ends[static_cast<std::size_t>(s)] = true;
  }
  if (last_inputs_.empty()) {
    fail<StateError>("Stream, finish", "nothing was pushed yet, so there is nothing to finish");
  }
  Tensors none;
  const std::vector<std::int64_t> no_steps(ends.size());
  for (const auto& x : last_inputs_) none.push_back(detail::steps_of(x, no_steps, no_steps));
  Tensors outputs = batch_invariant_ ? run_singly(none, ends) : run(none, ends);
  for (auto& y : outputs) {  // of results so far, those of the others go on
    const int mask_rank = std::max(1, rows::mask_rank(y));
    if (mask_rank == 2 && !time_.so_far) continue;
    Shape shape{std::ssize(ends)};
    if (mask_rank == 2) shape.push_back(1);
    y = with_mask(y, Mask::keep(ends, shape));
  }
  clear(ends);
  return outputs;
}

void Stream::restart(std::int64_t sequence) {
  check_place("Stream, restart", sequence);
  std::vector<bool> ends(state_.steps.size());
  ends[static_cast<std::size_t>(sequence)] = true;
  clear(ends);
}

void Stream::restart(std::int64_t sequence, const Tensors& context) {
  check_place("Stream, restart", sequence);
  auto& now = state_.constants.context;
  if (context.size() != now.size() || now.empty()) {
    fail<ShapeError>("Stream, restart", "a context of {} tensors; expected {}, as at its making",
                     context.size(), now.size());
  }
  std::vector<std::int64_t> from(state_.steps.size());
  std::iota(from.begin(), from.end(), 0);
  from[static_cast<std::size_t>(sequence)] = sequences();
  Tensors changed;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const Tensor all = detail::one_after_another("Stream, restart", now[i], context[i]);
    if (context[i].shape()[0] != 1) {
      fail<ShapeError>("Stream, restart",
                       "the context is {}; expected that of one sequence [1, ...]",
                       context[i].describe());
    }
    changed.push_back(detail::reordered(all, from));
  }
  restart(sequence);
  now = std::move(changed);
  state_.constants.of_context.clear();
  auto& of = state_.context_of;
  of[static_cast<std::size_t>(sequence)] = *std::max_element(of.begin(), of.end()) + 1;
}

void Stream::clear(const std::vector<bool>& sequences) {
  StreamState next = state_;
  for (auto& [place, slot] : next.slots) {
    for (auto& t : slot.tensors) t = detail::cleared(t, sequences);
    slot.begins.resize(sequences.size());
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      slot.begins[s] = slot.begins[s] || sequences[s];
    }
  }
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    if (!sequences[s]) continue;
    next.steps[s] = 0;
    if (!next.context_of.empty()) next.context_of[s] = -1;
  }
  state_ = std::move(next);
}

void Stream::reorder(const std::vector<std::int64_t>& from) {
  if (std::ssize(from) != sequences()) {
    fail<ShapeError>("Stream, reorder", "{} places; expected one for each of its {} sequences",
                     from.size(), sequences());
  }
  for (const auto s : from) check_place("Stream, reorder", s);
  StreamState next;
  for (const auto s : from) next.steps.push_back(state_.steps[static_cast<std::size_t>(s)]);
  for (const auto& [place, slot] : state_.slots) {
    auto& moved = next.slots[place];
    for (const auto& t : slot.tensors) moved.tensors.push_back(detail::reordered(t.value(), from));
    for (const auto s : from) {
      if (!slot.begins.empty()) moved.begins.push_back(slot.begins[static_cast<std::size_t>(s)]);
    }
  }
  for (const auto s : from) {
    if (!state_.context_of.empty())
      next.context_of.push_back(state_.context_of[static_cast<std::size_t>(s)]);
  }
  next.constants = state_.constants;
  if (next.context_of != state_.context_of) {  // beams of one prompt share theirs
    for (auto& x : next.constants.context) x = detail::reordered(x.value(), from);
    for (auto& [place, made] : next.constants.of_context) {
      for (auto& x : made) x = detail::reordered(x.value(), from);
    }
  }
  state_ = std::move(next);
}

}  // namespace maskgrad
