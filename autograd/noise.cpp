#include <maskgrad/autograd/noise.hpp>

#include <algorithm>
#include <utility>

#include <maskgrad/autograd/noise_places.hpp>
#include <maskgrad/core/context.hpp>

namespace maskgrad {
namespace {

using detail::NoiseState;

thread_local const detail::Ref<NoiseState> of_thread = detail::make_ref<NoiseState>();
thread_local detail::Ref<NoiseState> of_step;        // the innermost NoiseStep's
thread_local detail::Ref<NoiseState> of_layer;       // of the model whose layer runs
thread_local detail::KeptNoise* kept_now = nullptr;  // the innermost NoiseScope's
thread_local std::shared_ptr<const extend::NoiseSamples> samples_now;
thread_local const std::vector<std::int64_t>* steps_before =
    nullptr;  // the innermost NoiseBehind's

const detail::Ref<NoiseState>& here() {
  if (of_step) return of_step;
  return of_layer && of_layer->trained ? of_layer : of_thread;
}

/// To be changed: a NoiseScope puts it back.
NoisePosition& position_in(const detail::Ref<NoiseState>& state) {
  if (kept_now) {
    const auto known = [&state](const auto& kept) { return kept.first == state; };
    if (std::none_of(kept_now->begin(), kept_now->end(), known)) {
      kept_now->emplace_back(state, state->position);
    }
  }
  return state->position;
}

/// Calls `f` with the positions of the models and of the thread.
template <class F>
void each_position(const detail::NoiseStates& models, F&& f) {
  for (const auto& model : models) f(position_in(model));
  f(position_in(of_thread));
}

}  // namespace

const NoisePosition& noise_position() {
  return here()->position;
}

NoiseStep::NoiseStep(NoisePosition position)
    : before_(std::exchange(of_step, detail::make_ref<NoiseState>(std::move(position)))) {}
NoiseStep::~NoiseStep() {
  of_step = std::move(before_);
}

NoiseScope::NoiseScope() : outer_(std::exchange(kept_now, &kept_)) {}
NoiseScope::~NoiseScope() {
  for (auto& [state, position] : kept_) state->position = std::move(position);
  kept_now = outer_;
}

detail::NoiseRecording::NoiseRecording(NoiseRecord& record)
    : record_(record), outer_(std::exchange(kept_now, &record)) {}
detail::NoiseRecording::~NoiseRecording() {
  kept_now = outer_;
  if (!outer_) return;
  for (const auto& entry : record_) {
    const auto known = [&entry](const auto& kept) { return kept.first == entry.first; };
    if (std::none_of(outer_->begin(), outer_->end(), known)) outer_->push_back(entry);
  }
}

detail::NoiseReplay::NoiseReplay(const NoiseRecord& record)
    : outer_(std::exchange(kept_now, nullptr)) {
  for (const auto& [state, position] : record) {
    before_.emplace_back(state, std::exchange(state->position, position));
  }
}
detail::NoiseReplay::~NoiseReplay() {
  for (auto& [state, position] : before_) state->position = std::move(position);
  kept_now = outer_;
}

extend::NoiseOfSteps::NoiseOfSteps() : before_(noise_position().calls) {}
void extend::NoiseOfSteps::again() const {
  if (!noise_position().calls.empty()) position_in(here()).calls = before_;
}

extend::NoiseBehind::NoiseBehind(const std::vector<std::int64_t>& before)
    : before_(std::exchange(steps_before, &before)) {}
extend::NoiseBehind::~NoiseBehind() {
  steps_before = before_;
}
std::int64_t extend::NoiseBehind::steps(std::int64_t s, std::int64_t sequences) {
  if (!steps_before || std::ssize(*steps_before) != sequences) return 0;
  return (*steps_before)[static_cast<std::size_t>(s)];
}

extend::NoiseSamplesScope::NoiseSamplesScope(std::shared_ptr<const extend::NoiseSamples> samples)
    : before_(std::exchange(samples_now, std::move(samples))) {}
extend::NoiseSamplesScope::~NoiseSamplesScope() {
  samples_now = std::move(before_);
}
const std::shared_ptr<const extend::NoiseSamples>& extend::NoiseSamplesScope::current() {
  return samples_now;
}

Seed extend::noise_key(Seed seed) {
  const Seed key = seed.of(noise_position().step);
  const auto* layer = LayerScope::current();
  if (!layer) return key;
  const auto call = position_in(here()).calls[seed.of(layer->path()).value]++;
  return call == 0 ? key : key.of("call").of(call);
}

namespace detail {

LayerNoise::LayerNoise(const Ref<NoiseState>& model)
    : before_(model ? std::exchange(of_layer, model) : of_layer) {}
LayerNoise::~LayerNoise() {
  of_layer = std::move(before_);
}

NoiseStates noise_states(const std::vector<Parameter>& parameters) {
  NoiseStates states;
  for (const auto& p : parameters) {
    const auto& state = p.noise();
    if (state && std::find(states.begin(), states.end(), state) == states.end()) {
      states.push_back(state);
    }
  }
  return states;
}

const NoisePosition& noise_position_of(const std::vector<Parameter>& parameters) {
  if (of_step) return of_step->position;
  for (const auto& model : noise_states(parameters)) {
    if (model->trained) return model->position;
  }
  return of_thread->position;
}

void begin_thread_noise() {
  position_in(of_thread) = {};
}

void begin_noise(const NoiseStates& models) {
  for (const auto& model : models) model->trained = true;
  each_position(models, [](NoisePosition& at) { at = {}; });
}

void next_noise_step(const NoiseStates& models) {
  each_position(models,
                [](NoisePosition& at) { at = {(of_step ? of_step->position.step : at.step) + 1}; });
}

void next_noise_part(const NoiseStates& models, std::int64_t sequences) {
  each_position(models, [sequences](NoisePosition& at) {
    at.sequence += sequences;
    at.calls.clear();
  });
}

NoiseParts::NoiseParts(const std::vector<Parameter>& parameters) {
  for (auto& model : noise_states(parameters)) calls_.emplace_back(model, model->position.calls);
  calls_.emplace_back(of_thread, of_thread->position.calls);
}
void NoiseParts::next(std::int64_t sequences) const {
  for (const auto& [state, calls] : calls_) {
    NoisePosition& at = position_in(state);
    at.sequence += sequences;
    at.calls = calls;
  }
}
void NoiseParts::end() {
  for (auto& entry : calls_) entry.second.clear();
}

}  // namespace detail

NoisePlaces noise_places(const Tensor& x, Seed seed, bool whole_steps) {
  const Shape lead = x.shape().sub(0, std::min(2, x.rank()));
  const auto steps = lead.rank() == 2 ? lead[1] : 1;
  const int mask_rank = rows::mask_rank(x);
  NoisePlaces p;
  p.key = extend::noise_key(seed);
  p.first = noise_position().sequence;
  p.samples = extend::NoiseSamplesScope::current();
  p.features = x.shape().count(std::max(lead.rank(), mask_rank), x.rank());
  const auto runs = p.features == 0 ? 0 : rows::total(x) / p.features;
  p.sample = Index(runs);
  p.step = Index(runs);
  if (whole_steps && mask_rank > 2) p.feature = Index(runs);
  std::int64_t last_sample = -1, rank = 0;
  for (std::int64_t r = 0; r < runs; ++r) {
    auto at = r;
    if (mask_rank > 0) {
      const auto behind = lead.count(std::min(mask_rank, lead.rank()), lead.rank());
      at = x.mask().impl().positions[r / behind] * behind + r % behind;
    }
    if (mask_rank > 2) {
      const auto values = x.mask().shape().count(2, mask_rank);
      if (whole_steps) p.feature[r] = at % values * p.features;
      at /= values;
    }
    p.sample[r] = at / steps;
    rank = p.sample[r] == last_sample ? rank + 1
           : lead.rank() == 2         ? extend::NoiseBehind::steps(p.sample[r], lead[0])
                                      : 0;
    last_sample = p.sample[r];
    p.step[r] = whole_steps ? 0 : rank;
  }
  return p;
}

}  // namespace maskgrad
