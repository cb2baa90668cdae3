#include <maskgrad/layers/model/stream.hpp>

#include <algorithm>
#include <optional>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/core/checked.hpp>

namespace maskgrad {
namespace {

/// The rows of those sequences alone, others begin anew: zeros, or no steps.
Tensor cleared(const Tensor& kept, const std::vector<bool>& sequences) {
  std::vector<bool> stay(sequences);
  stay.flip();
  const int mask_rank = rows::mask_rank(kept);
  if (mask_rank < 2) {
    const Tensor rest = with_mask(kept, Mask::keep(stay, {std::ssize(stay)}));
    return mask_rank == 0 ? rest.drop_mask("a new sequence") : rest;
  }
  const auto time = kept.shape()[1];
  std::vector<std::int64_t> lengths(stay.size());
  for (std::size_t s = 0; s < stay.size(); ++s) lengths[s] = stay[s] ? time : 0;
  return with_mask(kept, Mask::from_lengths(lengths, time));
}

/// The sequences in another order, some of them perhaps twice.
Tensor reordered(const Tensor& kept, const std::vector<std::int64_t>& from) {
  const Tensor order = tensor(from, {std::ssize(from)});
  if (rows::mask_rank(kept) == 0) return take(kept.value(), order);
  if (rows::mask_rank(kept) == 1) {
    std::vector<bool> valid;
    for (const auto s : from) valid.push_back(kept.mask().at({s}));
    const Tensor dense = take(kept.value().drop_mask("reordered"), order);
    return with_mask(dense, Mask::keep(valid, {std::ssize(valid)}));
  }
  const auto& steps = kept.mask().impl();
  const auto lengths = kept.mask().lengths();
  std::vector<std::int64_t> count;
  for (const auto s : from) count.push_back(lengths[static_cast<std::size_t>(s)]);
  const Mask mask = Mask::from_lengths(count);
  std::vector<std::int64_t> rows_taken;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto first = steps.first[static_cast<std::size_t>(from[i])];
    for (std::int64_t k = 0; k < count[i]; ++k) rows_taken.push_back(first + k);
  }
  const Tensor stored = rows::stored(kept.value());
  const Tensor taken = take(stored, tensor(rows_taken, {std::ssize(rows_taken)}));
  return rows::share(taken, mask.shape() + kept.shape().sub(2, kept.rank()), mask);
}

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

}  // namespace

Stream::Stream(std::shared_ptr<const Run> run, TimeContract time, StreamOptions options)
    : run_(std::move(run)), time_(time), training_(training()) {
  if (options.sequences < 1) {
    fail<OptionError>("Stream", "the option .sequences is {}; expected 1 or more",
                      options.sequences);
  }
  state_.steps = checked::vector<std::int64_t>("Stream", options.sequences);
}

Stream::Stream(const Stream& other)
    : run_(other.run_),
      time_(other.time_),
      state_(other.state()),
      last_inputs_(other.last_inputs_),
      training_(other.training_),
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
  StreamState next = state_;
  Tensors outputs;
  {
    const detail::StreamRun push(next.slots, ends);
    outputs = (*run_)(inputs);
  }
  const auto lengths = inputs[0].mask().lengths();
  for (std::size_t s = 0; s < lengths.size(); ++s) next.steps[s] += lengths[s];
  state_ = std::move(next);
  return outputs;
}

Tensors Stream::push(const Tensors& inputs) {
  if (inputs.empty()) fail<ShapeError>("Stream, push", "no inputs; expected one or more");
  Tensors steps;
  for (const auto& x : inputs) steps.push_back(as_steps(x, sequences()));
  Tensors outputs = run(steps, std::vector<bool>(static_cast<std::size_t>(sequences())));
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
  Tensors outputs = run(none, ends);
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

void Stream::clear(const std::vector<bool>& sequences) {
  StreamState next = state_;
  for (auto& [place, slot] : next.slots) {
    for (auto& t : slot.tensors) t = cleared(t, sequences);
  }
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    if (sequences[s]) next.steps[s] = 0;
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
    for (const auto& t : slot.tensors) moved.tensors.push_back(reordered(t, from));
  }
  state_ = std::move(next);
}

}  // namespace maskgrad
