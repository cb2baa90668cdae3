#pragma once

#include <cstdint>
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
};

/// The slot of the call of a layer that runs, if x is the steps that a stream has just been given;
/// null outside of any stream. To be asked once a call.
/// Example:  if (auto* slot = mg::extend::stream_slot(x)) y = y + slot->tensors[0];
StreamSlot* stream_slot(const Tensor& x);

}  // namespace extend

namespace detail {

using StreamSlots = std::map<std::string, extend::StreamSlot, std::less<>>;

/// What stays the same from push to push: what sequences have as a whole from their beginning, what
/// layers made of it alone, and weights in the form in which kernels read them.
struct StreamConstants {
  Tensors context;
  std::map<std::string, Tensors, std::less<>> of_context;
  std::map<const void*, std::shared_ptr<const void>> of_weights;  ///< by whose they are
};

/// One push: while it lives, the layers that this thread calls see the next steps of each sequence,
/// and keep in `slots` what they need of those before.
class StreamRun {
 public:
  /// `ends`: the sequences that end with these steps. `in_place`: without a tape states may be
  /// written where they stand; else a state stays what it is, and is the same with a tape.
  StreamRun(StreamSlots& slots, std::vector<bool> ends, bool in_place = true,
            StreamConstants* constants = nullptr);
  ~StreamRun();
  StreamRun(const StreamRun&) = delete;
  StreamRun& operator=(const StreamRun&) = delete;

  /// Null outside of any push.
  static StreamRun* current();
  /// Whether x is steps of the stream's sequences.
  bool streams(const Tensor& x) const;
  /// The slot of a call that is named `place`; each time it is asked for, that of its next call.
  extend::StreamSlot& slot(const std::string& place);
  const std::vector<bool>& ends() const { return ends_; }
  bool in_place() const { return in_place_; }

  /// Whether x is context, or was made of it alone.
  bool is_context(const Tensor& x) const;
  /// Whether x is a result over the steps so far, or was made of one: no steps, though it may have an
  /// axis of one in their place.
  bool is_result(const Tensor& x) const;
  void hold_results(const Tensors& results);
  /// What `make` gives from context alone, at a place of that name: computed at the first push.
  template <class Make>
  Tensors once(const std::string& place, Make&& make) {
    Tensors* made = made_at(place);
    if (made->empty()) *made = make();
    hold(*made);
    return *made;
  }

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
  Tensors* made_at(const std::string& place);
  void hold(const Tensors& of_context);
  std::string numbered(const std::string& place);

  StreamSlots& slots_;
  std::vector<bool> ends_;
  bool in_place_;
  StreamConstants* constants_;
  Tensors held_;  ///< of context alone
  std::vector<Mask> of_results_;
  std::map<std::string, int> calls_;
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
