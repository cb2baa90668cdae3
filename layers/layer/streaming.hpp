#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <maskgrad/core/rows.hpp>
#include <maskgrad/layers/layer/spec.hpp>
#include <maskgrad/layers/layer/time_contract.hpp>

namespace maskgrad {
namespace extend {

/// What a call of a layer keeps of each sequence from one push of a stream to the next, for layers
/// whose time contract names a state. A tensor is [sequences, ...]: a sequence begins from zeros,
/// or, of one with a mask over steps, from no steps.
struct StreamSlot {
  Tensors tensors = {};           ///< empty at the first push
  mutable bool shared = false;    ///< somebody else may hold the tensors too: not to be written to
  std::vector<bool> begins = {};  ///< sequences that begin anew with this push; empty: none
  /// Of sequence s the first `tensors.back()[s]` steps stand in the others, with room behind them.
  bool room = false;
  int asked = 0;  ///< how often the push that runs has asked for this place
};

/// The slot of the call of a layer that runs, if x is the steps that a stream has just been given;
/// null outside of any stream. To be asked once a call.
/// Example:  if (auto* slot = mg::extend::stream_slot(x)) y = y + slot->tensors[0];
StreamSlot* stream_slot(const Tensor& x);

}  // namespace extend

namespace detail {

using StreamSlots = std::map<std::string, extend::StreamSlot, std::less<>>;
/// What is made of inputs that are context alone.
using MadeByContext = std::function<Tensors(const Tensors& inputs)>;

/// What layers made of a stream's context alone.
struct MadeOfContext {
  Tensors tensors = {};
  std::vector<std::int64_t> of = {};  ///< of which context each sequence's part is, by number
  int asked = 0;                      ///< how often the push that runs has asked for this place
};

/// What stays the same from push to push: what sequences have as a whole from their beginning, what
/// layers made of it alone, and weights in the form in which kernels read them.
struct StreamConstants {
  Tensors context = {};
  /// Which context each sequence has, by number; -1: the next one's is not given yet.
  std::vector<std::int64_t> context_of = {};
  std::int64_t contexts = 0;  ///< that were given so far
  std::map<std::string, MadeOfContext, std::less<>> of_context = {};
  std::map<const void*, std::shared_ptr<const void>> of_weights = {};  ///< by whose they are
};

/// How a push runs.
struct PushOptions {
  /// Without a tape states may be written where they stand; else a state stays what it is, and is
  /// the same with a tape.
  bool in_place = true;
  /// What is made of context alone is made of each sequence's by itself.
  bool batch_invariant = false;
};

/// One push: while it lives, the layers that this thread calls see the next steps of each sequence,
/// and keep in `slots` what they need of those before.
class StreamRun {
 public:
  /// `ends`: the sequences that end with these steps.
  StreamRun(StreamSlots& slots, std::vector<bool> ends, PushOptions options,
            StreamConstants* constants = nullptr);
  /// Puts the slots back to what they were, unless it is done.
  ~StreamRun();
  StreamRun(const StreamRun&) = delete;
  StreamRun& operator=(const StreamRun&) = delete;

  /// Null outside of any push.
  static StreamRun* current();
  /// While one lives, this thread is outside of any push.
  class Outside {
   public:
    Outside();
    ~Outside();
    Outside(const Outside&) = delete;
    Outside& operator=(const Outside&) = delete;

   private:
    StreamRun* run_;
  };
  /// Whether x is steps of the stream's sequences.
  bool streams(const Tensor& x) const;
  /// The slot of a call that is named `place`; each time it is asked for, that of its next call.
  extend::StreamSlot& slot(std::string_view place);
  const std::vector<bool>& ends() const { return ends_; }
  bool in_place() const { return options_.in_place; }
  /// The push went well: the slots stay as the layers left them.
  void done();

  /// Whether x is context, or was made of it alone.
  bool is_context(const Tensor& x) const;
  /// Whether x is a result over the steps so far, or was made of one: no steps, though it may have an
  /// axis of one in their place.
  bool is_result(const Tensor& x) const;
  void hold_results(const Tensors& results);
  /// What `make` gives of inputs that are context alone, at a place of that name: computed at the
  /// first push, and again for sequences whose context is another one since.
  Tensors once(std::string_view place, const Tensors& inputs, const MadeByContext& make);

  /// Weights of `owner` as its kernels read them: as they were kept, if `fits(kept)`, else as
  /// `make()` gives them, a shared pointer. Null where nothing is kept from push to push.
  template <class Packed, class Fits, class Make>
  std::shared_ptr<const Packed> packed(const void* owner, Fits&& fits, Make&& make) {
    if (!constants_) return nullptr;
    auto& kept = constants_->of_weights[owner];
    if (!kept || !fits(*static_cast<const Packed*>(kept.get()))) kept = make();
    return std::static_pointer_cast<const Packed>(kept);
  }

 private:
  void hold(const Tensors& of_context);
  /// What is kept for the next call of that name.
  template <class Kept>
  static Kept& asked(std::map<std::string, Kept, std::less<>>& all, std::string_view place) {
    auto at = all.find(place);
    if (at == all.end()) at = all.try_emplace(std::string(place)).first;
    const int call = at->second.asked++;
    return call == 0 ? at->second : all[std::string(place) + "#" + std::to_string(call)];
  }

  StreamSlots& slots_;
  std::vector<bool> ends_;
  PushOptions options_;
  StreamConstants* constants_;
  Tensors held_;  ///< of context alone
  std::vector<Mask> of_results_;
  /// What was asked for, as it was before.
  std::vector<std::pair<extend::StreamSlot*, extend::StreamSlot>> before_;
  StreamRun* outer_;
};

/// A layer as a function of its inputs, whatever its type.
struct LayerCall {
  void* layer;
  Tensors (*forward)(void* layer, const Tensors& inputs);
  Tensors operator()(const Tensors& inputs) const { return forward(layer, inputs); }
};

/// The call inside of a push, of a layer that reads neighboring steps: runs it over what it kept
/// and what is new, and gives the outputs that these steps were the last ones to change.
Tensors call_windows(const TimeContract& time, const LayerCall& call, const Tensors& inputs);

/// Whether a stream keeps the steps that such a layer, which holds no other layers, reads.
constexpr bool keeps_windows(const TimeContract& time) {
  return time.state.empty() && time.streamable() && !time.so_far &&
         (time.look_back > 0 || time.look_ahead > 0 || time.stride > 1);
}

/// The call inside of a push, of a layer without layers in it: over windows, or in its own way.
/// `over_context`: it takes inputs behind the first that are context. ShapeError where steps and
/// context meet otherwise.
Tensors call_in_stream(const TimeContract& time, bool over_context, const LayerCall& call,
                       const Tensors& inputs);
/// Of any layer: what it makes of context alone is made once.
Tensors call_over_context(const LayerCall& call, const Tensors& inputs);

/// Counts of each sequence as a slot keeps them, and as they are kept; refuse_kept where they are none.
Tensor kept_counts(const std::vector<std::int64_t>& counts);
std::vector<std::int64_t> counts_in(const Tensor& kept, std::size_t sequences);
/// The StateError of the running layer: what the stream's state has for it is not what it keeps.
[[noreturn]] void refuse_kept();

/// Of each sequence the valid steps first[s], ..., first[s] + count[s] - 1, put side by side:
/// [sequences, the greatest count, ...].
Tensor steps_of(const Tensor& x, const std::vector<std::int64_t>& first,
                const std::vector<std::int64_t>& count);

/// `more` steps of each sequence behind those that came before.
Tensor followed(const Tensor& before, const Tensor& more);
/// Of each sequence the last `count` valid steps, or all there are.
Tensor last_steps(const Tensor& x, std::int64_t count);

/// Several inputs of one call, of which some come later than others: gives of each sequence the
/// steps that all have, and keeps the rest in the slot.
Tensors lined_up(extend::StreamSlot& slot, const Tensors& inputs);
/// The inputs of call `call` in a container at `path`: in a push, lined up.
Tensors met(std::string_view path, std::size_t call, const Tensors& inputs);

}  // namespace detail
}  // namespace maskgrad
