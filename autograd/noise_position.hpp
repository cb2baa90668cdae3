#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include <maskgrad/core/ref.hpp>

namespace maskgrad {

namespace extend {
/// How often layers have drawn noise in the step so far, by seed and path.
using NoiseCalls = std::unordered_map<std::uint64_t, std::uint64_t>;
}  // namespace extend

/// Where a training stands, as far as noise knows: what a layer draws depends on the seed, the
/// layer's path, the step, the number of its call in the step, the sequence's index in the step,
/// the rank among its valid steps and the feature, and on nothing else. So two forward passes draw
/// two noises, and neither padding nor a split into parts changes them. An operation called outside
/// of any layer does not count its calls: its seed is the caller's.
struct NoisePosition {
  std::uint64_t step = 0;
  std::int64_t sequence = 0;  ///< index in the step of the next batch's first sequence
  extend::NoiseCalls calls = {};
};

namespace detail {

/// The position of a model, which its layers and its parameters share; or that of a thread, or of a
/// NoiseStep.
struct NoiseState final : Counted {
  explicit NoiseState(NoisePosition at = {}) : position(std::move(at)) {}
  NoisePosition position;
  bool trained = false;  ///< an optimizer has parameters of the model
};

/// Positions of before they changed.
using KeptNoise = std::vector<std::pair<Ref<NoiseState>, NoisePosition>>;

}  // namespace detail
}  // namespace maskgrad
