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

}  // namespace

extend::StreamSlot* extend::stream_slot(const Tensor& x) {
  auto* run = detail::StreamRun::current();
  const auto* layer = LayerScope::current();
  if (!run || !layer || !run->streams(x)) return nullptr;
  return &run->slot(layer->path());
}

namespace detail {

void refuse_kept() {
  fail<StateError>(layer_title(),
                   "what the stream's state has for it is not what it keeps; expected the state of "
                   "a stream of the same model");
}

Tensor kept_counts(const std::vector<std::int64_t>& counts) {
  return tensor(counts, {std::ssize(counts)});
}
Counts counts_in(const Tensor& kept, std::size_t sequences) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  Counts counts;
  if (kept.dtype() == DType::i64 && !kept.has_mask()) counts = kept.to_vector<std::int64_t>();
  const auto possible = [](std::int64_t n) { return n >= 0 && n <= most; };
  if (counts.size() != sequences || !std::all_of(counts.begin(), counts.end(), possible)) {
    refuse_kept();
  }
  return counts;
}

StreamRun::StreamRun(StreamSlots& slots, std::vector<bool> ends, PushOptions options,
                     StreamConstants* constants)
    : slots_(slots),
      ends_(std::move(ends)),
      options_(options),
      constants_(constants),
      outer_(std::exchange(running, this)) {
  for (auto& [place, slot] : slots_) slot.asked = 0;
  if (!constants) return;
  for (auto& [place, made] : constants->of_context) made.asked = 0;
  hold(constants->context);
}
StreamRun::~StreamRun() {
  running = outer_;
  for (auto at = before_.rbegin(); at != before_.rend(); ++at) *at->first = std::move(at->second);
}
void StreamRun::done() {
  for (auto& [place, slot] : slots_) slot.begins.clear();
  before_.clear();
}
StreamRun::Outside::Outside() : run_(std::exchange(running, nullptr)) {}
StreamRun::Outside::~Outside() {
  running = run_;
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

extend::StreamSlot& StreamRun::slot(std::string_view place) {
  auto& slot = asked(slots_, place);
  before_.emplace_back(&slot, slot);
  return slot;
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
  auto& slot = run->slot(extend::LayerScope::current()->path());
  const bool begins = slot.tensors.empty();
  const Tensor all = begins ? x : followed(slot.tensors[0], x);
  // Of each sequence, the step that `all` begins with, and how many outputs were given.
  Counts base(run->ends().size()), given = base;
  if (!begins) {
    if (slot.tensors.size() != 3) refuse_kept();
    base = counts_in(slot.tensors[1], base.size());
    given = counts_in(slot.tensors[2], base.size());
  }
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
    if (base[s] % time.stride != 0 || given[s] < offset) refuse_kept();
    first[s] = given[s] - offset;
    count[s] = std::max<std::int64_t>(0, std::min(final, offset + made[s]) - given[s]);
    given[s] += count[s];
    // The next window begins where output given[s] does, at a step that an output stands for.
    const auto reads = std::max<std::int64_t>(0, given[s] * time.stride - time.look_back);
    const auto begin = std::min(reads, steps) / time.stride * time.stride;
    if (begin < base[s]) refuse_kept();
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
  return run.once(path + " over context", inputs, call);
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
  if (!begins && slot.tensors.size() != inputs.size()) refuse_kept();
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
