#include <maskgrad/layers/layer/streaming.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/core/context.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {
namespace {

using Counts = std::vector<std::int64_t>;

thread_local detail::StreamRun* running = nullptr;

Tensor kept_counts(const Counts& counts) {
  return tensor(counts, {std::ssize(counts)});
}
Counts counts_in(const Tensor& kept) {
  const auto values = rows::of<std::int64_t>(kept);
  return {values.begin(), values.end()};
}

}  // namespace

extend::StreamSlot* extend::stream_slot(const Tensor& x) {
  auto* run = detail::StreamRun::current();
  const auto* layer = LayerScope::current();
  if (!run || !layer || !run->streams(x)) return nullptr;
  return &run->slot(std::string(layer->path()));
}

namespace detail {

StreamRun::StreamRun(StreamSlots& slots, std::vector<bool> ends, bool in_place,
                     StreamConstants* constants)
    : slots_(slots),
      ends_(std::move(ends)),
      in_place_(in_place),
      constants_(constants),
      outer_(std::exchange(running, this)) {
  if (constants) hold(constants->context);
}
StreamRun::~StreamRun() {
  running = outer_;
}
StreamRun* StreamRun::current() {
  return running;
}

bool StreamRun::streams(const Tensor& x) const {
  return !x.is_meta() && rows::mask_rank(x) == 2 && x.shape()[0] == std::ssize(ends_) &&
         !is_context(x) && !is_result(x);
}

bool StreamRun::is_result(const Tensor& x) const {
  return x.has_mask() && std::any_of(of_results_.begin(), of_results_.end(),
                                     [&](const Mask& mask) { return mask.same(x.mask()); });
}

void StreamRun::hold_results(const Tensors& results) {
  for (const auto& y : results) {
    if (rows::mask_rank(y) == 2 && !is_result(y)) of_results_.push_back(y.mask());
  }
}

bool StreamRun::is_context(const Tensor& x) const {
  return std::any_of(held_.begin(), held_.end(), [&](const Tensor& held) {
    return &held.impl() == &x.impl() || (x.has_mask() && x.mask().same(held.mask()));
  });
}

void StreamRun::hold(const Tensors& of_context) {
  for (const auto& x : of_context) {
    if (!is_context(x)) held_.push_back(x);
  }
}

std::string StreamRun::numbered(const std::string& place) {
  const int call = calls_[place]++;
  return call == 0 ? place : place + "#" + std::to_string(call);
}

extend::StreamSlot& StreamRun::slot(const std::string& place) {
  return slots_[numbered(place)];
}

Tensors* StreamRun::made_at(const std::string& place) {
  return &constants_->of_context[numbered(place)];
}

Tensor steps_of(const Tensor& x, const Counts& first, const Counts& count) {
  const auto& from = x.mask().impl();
  const Mask mask = Mask::from_lengths(count);
  extend::Index at(mask.valid());
  std::int64_t row = 0;
  for (std::size_t s = 0; s < count.size(); ++s) {
    for (std::int64_t i = 0; i < count[s]; ++i) at[row++] = from.first[s] + first[s] + i;
  }
  const Shape shape = mask.shape() + x.shape().sub(2, x.rank());
  return rearrange::take_rows("steps_of", x, at, shape, mask);
}

Tensor followed(const Tensor& before, const Tensor& more) {
  return before.mask().valid() == 0 ? more : concatenate({before, more}, 1);
}

Tensor last_steps(const Tensor& x, std::int64_t count) {
  auto first = x.mask().lengths(), left = first;
  for (std::size_t s = 0; s < left.size(); ++s) {
    left[s] = std::min(first[s], count);
    first[s] -= left[s];
  }
  return steps_of(x, first, left);
}

Tensors call_windows(const TimeContract& time, const LayerCall& call, const Tensors& inputs) {
  auto* run = StreamRun::current();
  if (!run || !run->streams(inputs[0])) return call(inputs);
  if (inputs.size() != 1) {
    fail<ShapeError>(layer_title(),
                     "{} inputs in a stream, where it reads neighboring steps ({}); expected one, "
                     "the sequence itself",
                     inputs.size(), time.str());
  }
  const auto& x = inputs[0];
  auto& slot = run->slot(std::string(extend::LayerScope::current()->path()));
  const bool begins = slot.tensors.empty();
  const Tensor all = begins ? x : followed(slot.tensors[0], x);
  // Of each sequence, the step that `all` begins with, and how many outputs were given.
  Counts base(run->ends().size()), given = base;
  if (!begins) base = counts_in(slot.tensors[1]), given = counts_in(slot.tensors[2]);
  const Tensors outputs = call({all});
  const auto there = all.mask().lengths(), made = outputs[0].mask().lengths();
  Counts first = base, count = base, keep_from = base, keep = base;
  for (std::size_t s = 0; s < base.size(); ++s) {
    const auto steps = base[s] + there[s], offset = base[s] / time.stride;
    // Output k is final where no step can come that it reads: k stride + look_ahead < steps.
    const auto whole = steps - time.look_ahead;
    const auto final = run->ends()[s] ? offset + made[s]
                       : whole <= 0   ? 0
                                      : (whole - 1) / time.stride + 1;
    first[s] = given[s] - offset;
    count[s] = std::max<std::int64_t>(0, std::min(final, offset + made[s]) - given[s]);
    given[s] += count[s];
    // The next window begins where output given[s] does, at a step that an output stands for.
    const auto reads = std::max<std::int64_t>(0, given[s] * time.stride - time.look_back);
    const auto begin = std::min(reads, steps) / time.stride * time.stride;
    keep_from[s] = begin - base[s];
    keep[s] = steps - begin;
    base[s] = begin;
  }
  slot.tensors = {steps_of(all, keep_from, keep), kept_counts(base), kept_counts(given)};
  Tensors results;
  for (const auto& y : outputs) results.push_back(steps_of(y, first, count));
  return results;
}

namespace {

bool all_context(const StreamRun& run, const Tensors& inputs) {
  return std::all_of(inputs.begin(), inputs.end(),
                     [&](const Tensor& x) { return run.is_context(x); });
}

void check_meeting(const StreamRun& run, bool over_context, const Tensors& inputs) {
  const bool steps_first = run.streams(inputs[0]);
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (run.streams(inputs[i]) ? steps_first : !run.is_context(inputs[i]) || over_context) continue;
    fail<ShapeError>(layer_title(),
                     "input 0 is {} and input {} {}: in a stream, one of them is steps, the other "
                     "the context, which is there as a whole; expected a layer that reads it so, "
                     "such as attention of the steps to it",
                     inputs[0].describe(), i, inputs[i].describe());
  }
}

}  // namespace

Tensors call_over_context(const LayerCall& call, const Tensors& inputs) {
  auto& run = *StreamRun::current();
  if (!all_context(run, inputs)) return call(inputs);
  const std::string path(extend::LayerScope::current()->path());
  return run.once(path + " over context", [&] { return call(inputs); });
}

Tensors call_in_stream(const TimeContract& time, bool over_context, const LayerCall& call,
                       const Tensors& inputs) {
  auto& run = *StreamRun::current();
  if (all_context(run, inputs)) return call_over_context(call, inputs);
  if (inputs.size() > 1) check_meeting(run, over_context, inputs);
  const bool result = time.so_far || run.is_result(inputs[0]);
  Tensors outputs = keeps_windows(time) ? call_windows(time, call, inputs) : call(inputs);
  if (result) run.hold_results(outputs);
  return outputs;
}

Tensors lined_up(extend::StreamSlot& slot, const Tensors& inputs) {
  const bool begins = slot.tensors.empty();
  const auto waits = [](const Tensor& kept) { return kept.mask().valid() != 0; };
  const auto same = [&](const Tensor& x) { return x.mask() == inputs[0].mask(); };
  if ((begins || std::none_of(slot.tensors.begin(), slot.tensors.end(), waits)) &&
      std::all_of(inputs.begin(), inputs.end(), same)) {
    return inputs;
  }
  Tensors all;
  Counts count;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    all.push_back(begins ? inputs[i] : followed(slot.tensors[i], inputs[i]));
    const auto there = all.back().mask().lengths();
    count.resize(there.size(), endless);
    for (std::size_t s = 0; s < there.size(); ++s) count[s] = std::min(count[s], there[s]);
  }
  const Counts start(count.size());
  Tensors ready;
  slot.tensors.clear();
  for (const auto& x : all) {
    auto rest = x.mask().lengths();
    for (std::size_t s = 0; s < rest.size(); ++s) rest[s] -= count[s];
    ready.push_back(steps_of(x, start, count));
    slot.tensors.push_back(steps_of(x, count, rest));
  }
  return ready;
}

Tensors met(std::string_view path, std::size_t call, const Tensors& inputs) {
  auto* run = StreamRun::current();
  if (!run) return inputs;
  for (const auto& x : inputs) {
    if (!run->streams(x)) return inputs;
  }
  return lined_up(run->slot(fmt::format("{}@{}", path, call)), inputs);
}

}  // namespace detail
}  // namespace maskgrad
