#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <maskgrad/autograd/noise_position.hpp>
#include <maskgrad/autograd/noise_samples.hpp>
#include <maskgrad/autograd/parameter.hpp>

namespace maskgrad {

/// The position that noise drawn here goes by: that of the NoiseStep that is open in this thread;
/// else that of the model whose layer runs, where an optimizer trains it; else the thread's.
///
/// A model's position belongs to its training: making an optimizer begins it anew, the optimizer's
/// step moves it to the next step, and each backward of a loss moves `sequence` by the batch it saw
/// and counts calls anew. So trainings that take turns in one thread draw what each draws alone.
/// The thread's position is for what no optimizer trains: operations called by themselves, layers
/// built by themselves. Every training in the thread moves it; building a model begins it anew.
const NoisePosition& noise_position();

/// While one lives, this thread draws all its noise at `position`, and nothing but the calls that
/// are made moves it. For loops that know where they stand: `fit` opens one a step, and one that is
/// computed in parts has one a part. An optimizer's step inside makes the step behind it the next.
/// Example:  const mg::NoiseStep at({.step = 1234});  // a loop by hand that goes on from a file
///           mg::mean_squared_error(y, model(x)).backward();
///           adam.step();
class NoiseStep {
 public:
  explicit NoiseStep(NoisePosition position);
  ~NoiseStep();
  NoiseStep(const NoiseStep&) = delete;
  NoiseStep& operator=(const NoiseStep&) = delete;

 private:
  detail::Ref<detail::NoiseState> before_;
};

/// While one lives, noise goes on from where it stands; at the end every position is put back to
/// where it stood. For passes that are to draw what others draw, or that must not move a training's
/// noise.
class NoiseScope {
 public:
  NoiseScope();
  ~NoiseScope();
  NoiseScope(const NoiseScope&) = delete;
  NoiseScope& operator=(const NoiseScope&) = delete;

 private:
  detail::KeptNoise kept_;  ///< positions that changed, as they were
  detail::KeptNoise* outer_;
};

namespace extend {

/// For a loop over the steps of sequences: `again()` before each lets layers that are called once a
/// step draw the same noise at all of them, whatever the padding. Behind the loop they count as
/// called once.
class NoiseOfSteps {
 public:
  NoiseOfSteps();
  void again() const;

 private:
  NoiseCalls before_;
};

/// While one lives, the steps of this thread's batches stand behind others: of sequence s behind
/// `before[s]`, which must outlive it. Batches of another number of sequences are as they are.
class NoiseBehind {
 public:
  explicit NoiseBehind(const std::vector<std::int64_t>& before);
  ~NoiseBehind();
  NoiseBehind(const NoiseBehind&) = delete;
  NoiseBehind& operator=(const NoiseBehind&) = delete;

  /// Of sequence s among `sequences`.
  static std::int64_t steps(std::int64_t s, std::int64_t sequences);

 private:
  const std::vector<std::int64_t>* before_;
};

/// While one lives, the samples of this thread's batches are steps of sequences.
class NoiseSamplesScope {
 public:
  explicit NoiseSamplesScope(std::shared_ptr<const NoiseSamples> samples);
  ~NoiseSamplesScope();
  NoiseSamplesScope(const NoiseSamplesScope&) = delete;
  NoiseSamplesScope& operator=(const NoiseSamplesScope&) = delete;

  /// Those of the innermost one; null outside of any: a sample is a sequence.
  static const std::shared_ptr<const NoiseSamples>& current();

 private:
  std::shared_ptr<const NoiseSamples> before_;
};

/// The key of the noise that an operation with this seed draws now: of the seed, the step, and the
/// number of the running layer's call. Counts a call, so a backward keeps what its forward got.
Seed noise_key(Seed seed);

}  // namespace extend

namespace detail {

using NoiseStates = std::vector<Ref<NoiseState>>;

/// While one lives, a layer of that model runs. Null, as for one that no build knows: the layer
/// around it says which.
class LayerNoise {
 public:
  explicit LayerNoise(const Ref<NoiseState>& model);
  ~LayerNoise();
  LayerNoise(const LayerNoise&) = delete;
  LayerNoise& operator=(const LayerNoise&) = delete;

 private:
  Ref<NoiseState> before_;
};

/// The positions of the models that the parameters are of, each once.
NoiseStates noise_states(const std::vector<Parameter>& parameters);
/// The position that a step on the parameters goes by.
const NoisePosition& noise_position_of(const std::vector<Parameter>& parameters);

/// Where the positions stood that a call moved, and while one is called again, where they stand
/// again; behind it they are as before.
using NoiseRecord = KeptNoise;
class NoiseRecording {
 public:
  explicit NoiseRecording(NoiseRecord& record);
  ~NoiseRecording();
  NoiseRecording(const NoiseRecording&) = delete;
  NoiseRecording& operator=(const NoiseRecording&) = delete;

 private:
  NoiseRecord& record_;
  NoiseRecord* outer_;
};
class NoiseReplay {
 public:
  explicit NoiseReplay(const NoiseRecord& record);
  ~NoiseReplay();
  NoiseReplay(const NoiseReplay&) = delete;
  NoiseReplay& operator=(const NoiseReplay&) = delete;

 private:
  NoiseRecord before_;
  NoiseRecord* outer_;
};

/// The thread's noise begins anew.
void begin_thread_noise();
/// A training of the models begins; the thread's noise begins anew with it.
void begin_noise(const NoiseStates& models);
/// The models, and the thread, come to their next step.
void next_noise_step(const NoiseStates& models);
/// The models, and the thread, come to the next part of a step's batch: its first sequence stands
/// `sequences` further, and calls are counted anew.
void next_noise_part(const NoiseStates& models, std::int64_t sequences);

/// The same for a step that is computed in parts: each counts its calls from where they stood when
/// this was made, as the whole would.
class NoiseParts {
 public:
  explicit NoiseParts(const std::vector<Parameter>& parameters);
  void next(std::int64_t sequences) const;
  /// The step is over: calls are counted from 0.
  void end();

 private:
  std::vector<std::pair<Ref<NoiseState>, extend::NoiseCalls>> calls_;
};

}  // namespace detail
}  // namespace maskgrad
