#include <maskgrad/layers/model/stream.hpp>

#include <algorithm>
#include <optional>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/layers/layer/stream_rows.hpp>
#include <maskgrad/layers/model/stream_state.hpp>

namespace maskgrad {
namespace {

/// x under the mask of a stream's steps: where it has none, all of them are there.
Tensor as_steps(const Tensor& x, std::int64_t sequences) {
  if (x.is_meta() || x.rank() < 2 || x.shape()[0] != sequences || rows::mask_rank(x) == 1 ||
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

Stream::Stream(Held model, TimeContract time, const StreamOptions& options)
    : model_(std::move(model)),
      time_(time),
      training_(training()),
      batch_invariant_(options.batch_invariant) {
  if (options.sequences < 1) {
    fail<OptionError>("Stream", "the option .sequences is {}; expected 1 or more",
                      options.sequences);
  }
  state_.model = model_;
  state_.steps = checked::vector<std::int64_t>("Stream", options.sequences);
  if (options.context.empty()) return;
  if (batch_invariant_ && training_) {
    fail<OptionError>("Stream",
                      "the option .batch_invariant is true with .context in training, where noise "
                      "goes by the sequence's place; give one of the two, or make it under "
                      "Evaluate");
  }
  auto& constants = state_.constants;
  for (const auto& x : options.context) {
    constants.context.push_back(for_places(x, options.sequences));
    if (x.shape()[0] == options.context[0].shape()[0]) continue;
    fail<ShapeError>("Stream", "the context is {} and {}; expected the same number of sequences",
                     options.context[0].describe(), x.describe());
  }
  constants.contexts = options.context[0].shape()[0];
  const auto copies = options.sequences / constants.contexts;
  for (std::int64_t s = 0; s < options.sequences; ++s) constants.context_of.push_back(s / copies);
}

Stream::Stream(const Stream& other)
    : model_(other.model_),
      time_(other.time_),
      state_(other.state()),
      training_(other.training_),
      batch_invariant_(other.batch_invariant_),
      pushed_(other.pushed_),
      noise_(other.noise_) {}
Stream& Stream::operator=(const Stream& other) {
  return *this = Stream(other);
}

StreamState Stream::state() const {
  for (const auto& [place, slot] : state_.slots) slot.shared = true;
  return state_;
}

void Stream::set_state(const StreamState& state) {
  detail::check_state("Stream, set_state", state, state_);
  for (const auto& [place, slot] : state.slots) slot.shared = true;
  state_ = state;
  state_.model = model_;
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
  const auto& context_of = state_.constants.context_of;
  if (context_of.empty()) return;
  const auto lengths = inputs[0].mask().lengths();
  for (std::size_t s = 0; s < context_of.size(); ++s) {
    if (context_of[s] >= 0 || lengths[s] == 0) continue;
    fail<StateError>("Stream, push",
                     "sequence {} begins anew, and its context is not given; call "
                     "restart({}, context) before its first steps",
                     s, s);
  }
}

Tensors Stream::run(const Tensors& inputs, const std::vector<bool>& ends) {
  if (!model_) fail<StateError>("Stream", "it was moved away; use what it was moved to");
  if (training() != training_) {
    fail<StateError>("Stream", "it was made {}; use it there, or make one where it is used",
                     training_ ? "for training, and is used under Evaluate"
                               : "under Evaluate, and is used in training");
  }
  // All pushes draw what one call draws, and the model's other calls count as if there were one.
  std::optional<NoiseScope> put_back;
  if (training_ && pushed_) put_back.emplace();
  if (training_) noise_.again();
  check_context(inputs);
  const auto& context = state_.constants.context;
  Tensors outputs, given = inputs;
  given.insert(given.end(), context.begin(), context.end());
  {
    detail::StreamRun push(state_.slots, ends, {.batch_invariant = batch_invariant_},
                           &state_.constants);
    outputs = model_->run(given);
    push.done();
  }
  const auto& lengths = inputs[0].mask().impl().length;
  for (std::int64_t s = 0; s < sequences(); ++s)
    state_.steps[static_cast<std::size_t>(s)] += lengths[s];
  return outputs;
}

Tensors Stream::run_singly(const Tensors& inputs, const std::vector<bool>& ends) {
  const auto lengths = inputs[0].mask().lengths();
  const StreamState before = state_;  // keys behind those that it counts may be written
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

Tensors Stream::run_any(const Tensors& inputs, const std::vector<bool>& ends) {
  return batch_invariant_ ? run_singly(inputs, ends) : run(inputs, ends);
}

Tensors Stream::push(const Tensors& inputs) {
  if (inputs.empty()) fail<ShapeError>("Stream, push", "no inputs; expected one or more");
  Tensors steps;
  for (const auto& x : inputs) steps.push_back(as_steps(x, sequences()));
  Tensors outputs = run_any(steps, std::vector<bool>(state_.steps.size()));
  pushed_ = true;
  if (state_.inputs.empty()) {
    const std::vector<std::int64_t> none(state_.steps.size());
    for (const auto& x : steps) {
      state_.inputs.push_back(detail::steps_of(x.value(), none, none));
    }
  }
  return outputs;
}

Tensors Stream::finish(const std::vector<std::int64_t>& sequences) {
  std::vector<bool> ends(state_.steps.size());
  for (const auto s : sequences) {
    check_place("Stream, finish", s);
    ends[static_cast<std::size_t>(s)] = true;
  }
  if (state_.inputs.empty()) {
    fail<StateError>("Stream, finish", "nothing was pushed yet, so there is nothing to finish");
  }
  Tensors outputs = run_any(state_.inputs, ends);
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

}  // namespace maskgrad
