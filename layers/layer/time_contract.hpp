#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/autograd/contract.hpp>

namespace maskgrad {

/// As many steps as there are.
inline constexpr std::int64_t endless = std::numeric_limits<std::int64_t>::max();

/// What a layer does with steps that are not there yet, as data beside its mask contract: output
/// step k reads the input steps k * stride - look_back to k * stride + look_ahead of its sequence.
/// `static constexpr TimeContract time{...}` in a layer's class, or `TimeContract time_now() const`
/// where options change it. A layer that declares none has one where its mask contract says it: who
/// stays inside a row looks neither back nor ahead.
struct TimeContract {
  std::int64_t look_back = 0;
  std::int64_t look_ahead = 0;
  std::int64_t stride = 1;      ///< input steps for each output step
  bool so_far = false;          ///< gives no steps, but one result over the steps so far
  bool evaluate_only = false;   ///< in training it reads all steps of the batch
  std::string_view state = {};  ///< what the layer itself keeps of a sequence between two pushes
  std::string_view why = {};    ///< why it cannot stream, where it cannot
  std::string_view ways_out = {};
  std::string_view by_options = {};  ///< in the class: what it is under which options

  /// Each output step comes after a bounded number of input steps, and what it needs of those
  /// before can be kept.
  constexpr bool streamable() const {
    return look_ahead != endless && (look_back != endless || !state.empty());
  }
  /// Of a layer that needs each sequence as a whole.
  static constexpr TimeContract whole(std::string_view why, std::string_view ways_out = {}) {
    return {.look_back = endless, .look_ahead = endless, .why = why, .ways_out = ways_out};
  }
  /// `back 2 · ahead 0`, `back endless (its last state) · ahead 0`, `needs the whole sequence`.
  std::string str() const;
  /// The same of a class: under all its options.
  std::string of_class() const { return by_options.empty() ? str() : std::string(by_options); }
};

namespace detail {

/// The sum, endless where one of the two is.
constexpr std::int64_t steps_sum(std::int64_t a, std::int64_t b) {
  return a == endless || b == endless ? endless : a + b;
}
constexpr std::int64_t steps_product(std::int64_t steps, std::int64_t stride) {
  return steps == endless ? endless : steps * stride;
}

/// What the mask contract says of time, for a layer that declares no more.
constexpr TimeContract time_by_mask(const MaskContract& contract) {
  if (contract.role == MaskRole::propagates) return {};
  if (contract.role == MaskRole::unsupported) {
    return TimeContract::whole("it refuses a mask, and the steps of a stream carry one",
                               contract.ways_out);
  }
  return TimeContract::whole("it declares no time contract",
                             "static constexpr mg::TimeContract time{...} in its class");
}

/// A layer that reads what another one gives.
constexpr TimeContract after(const TimeContract& first, const TimeContract& then) {
  TimeContract both = first;
  both.look_back = steps_sum(first.look_back, steps_product(then.look_back, first.stride));
  both.look_ahead = steps_sum(first.look_ahead, steps_product(then.look_ahead, first.stride));
  both.stride = first.stride * then.stride;
  both.so_far = first.so_far || then.so_far;
  both.evaluate_only = first.evaluate_only || then.evaluate_only;
  if (both.state.empty()) both.state = then.state;
  if (both.why.empty()) both.why = then.why, both.ways_out = then.ways_out;
  return both;
}
/// Two that read the same, side by side, up to one that reads both.
constexpr TimeContract beside(const TimeContract& a, const TimeContract& b) {
  TimeContract both = a;
  both.look_back = a.look_back > b.look_back ? a.look_back : b.look_back;
  both.look_ahead = a.look_ahead > b.look_ahead ? a.look_ahead : b.look_ahead;
  both.so_far = a.so_far && b.so_far;
  both.evaluate_only = a.evaluate_only || b.evaluate_only;
  if (both.state.empty()) both.state = b.state;
  if (both.why.empty()) both.why = b.why, both.ways_out = b.ways_out;
  return both;
}
/// Of a layer that makes one result of all steps.
inline constexpr TimeContract result_so_far{
    .look_back = endless, .so_far = true, .state = "the result so far"};

/// What of two inputs comes at another pace, or not as steps, cannot be put together.
inline constexpr TimeContract steps_do_not_meet = TimeContract::whole(
    "it puts steps together with others of another pace, or with a result over the steps so far",
    "one stream for each, put together by hand");
/// Who does not read context as a whole (see ReadsContext), where an input of it is.
inline constexpr TimeContract context_unread = TimeContract::whole(
    "it puts steps together with the context, which is there as a whole",
    "attention of the steps to the context · a recurrent layer that begins from it");
/// Behind a result over the steps so far there are no steps: who stays inside a row there changes
/// nothing, whatever it does along time.
constexpr TimeContract under_sample(const TimeContract& time, const MaskContract& contract) {
  return contract.under_sample() == MaskRole::propagates ? TimeContract{} : time;
}

}  // namespace detail
}  // namespace maskgrad
