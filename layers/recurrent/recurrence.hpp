#pragma once

#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/recurrent/by_steps.hpp>
#include <maskgrad/layers/recurrent/carried_state.hpp>
#include <maskgrad/layers/recurrent/recurrent_options.hpp>

namespace maskgrad::detail {

/// A cell run over the valid steps of each sequence: what SimpleRNN, GRU, LSTM and RNN have in
/// common. Every x walks one way down:
///   layer -> Recurrence::forward -> cell.run_whole -> the operation `recurrent`, or
///                                -> run_by_steps -> cell.step -> a few operations a step
/// A cell lets x in (`enter`), says whether it `runs_whole`, and has both ways: of whole sequences
/// by kernels, and by steps, which read `project(x)`. RecurrentCore is one, RNN makes one of any.
/// A cell without steps always runs whole: the cores of linear recurrences.
class Recurrence {
 public:
  /// `sizes`: of the cell's states.
  Recurrence(RNNOptions options, std::vector<std::int64_t> sizes)
      : options_(std::move(options)), carried_(std::move(sizes)) {}

  /// Runs `cell` over x from `initial` states, which may be fewer, or undefined: zeros, or what is
  /// carried. Gives the output, then the states where they are wanted.
  template <class Cell>
  Tensors forward(const Cell& cell, const Tensor& x, Tensors initial, bool with_states) {
    check::layer_rank(x, 3, "[batch, time, features]");
    const Tensor entered = cell.enter(x);
    auto* slot = extend::stream_slot(x);
    const Tensors states = first_states(x, std::move(initial), slot);
    return outputs(x, run(cell, entered, states), Cell::output_is_state, with_states, slot);
  }

  /// Where they follow from the input: known when the layer is built.
  void set_sizes(std::vector<std::int64_t> sizes) { carried_.set_sizes(std::move(sizes)); }

  MaskContract contract() const;
  TimeContract time() const;
  /// The same over the steps in the other direction, its outputs in the order of this one's.
  Recurrence mirrored() const;
  const RNNOptions& options() const { return options_; }
  /// See reset_states (layers/model/model.hpp).
  void reset_state() { carried_.reset(); }
  void reset_state(std::string_view kind, const std::vector<std::int64_t>& samples) {
    carried_.reset(kind, samples);
  }
  /// Null where the layer is not stateful.
  CarriedState* carried_state() { return options_.stateful ? &carried_ : nullptr; }

 private:
  /// The one place that chooses the way. Gives all outputs, where somebody reads them, then the
  /// last states.
  template <class Cell>
  Tensors run(const Cell& cell, const Tensor& x, const Tensors& states) const {
    if constexpr (requires { &Cell::step; }) {
      if (!cell.runs_whole(x)) {
        return run_by_steps(
            cell.project(x), made_states(x, states), options_.go_backwards,
            [&cell](const Tensor& x_t, const Tensors& before) { return cell.step(x_t, before); });
      }
      const bool read = options_.return_sequences || !Cell::output_is_state;
      return cell.run_whole(x, states, options_.go_backwards, read);
    } else {
      return cell.run_whole(x, states, options_.go_backwards);
    }
  }
  /// Those that are given, else carried, or those that a stream kept; undefined: zeros.
  Tensors first_states(const Tensor& x, Tensors initial, extend::StreamSlot* slot) const;
  /// The same with the zeros, under x's mask where that is one over samples.
  Tensors made_states(const Tensor& x, Tensors states) const;
  /// Of the results of a run what the layer gives. The last output is read from the outputs, or is
  /// the first state.
  Tensors outputs(const Tensor& x, Tensors results, bool output_is_state, bool with_states,
                  extend::StreamSlot* slot);

  RNNOptions options_;
  CarriedState carried_;
  bool flipped_ = false;  ///< outputs stand in the other order of time
};

/// What a recurrent layer does with a mask; its options say which of the two.
inline constexpr MaskContract recurrent_contract{
    .role = MaskRole::supports,
    .why = "runs each sequence's valid steps in order; without return_sequences it consumes",
    .sample_role = MaskRole::propagates,
    .full_role = MaskRole::unsupported,
    .ways_out = mask_whole_steps,
    .after = "read, and passed on; without return_sequences it ends",
    .keras = "repeats the last output at masked steps"};

inline constexpr TimeContract recurrent_time{
    .look_back = endless,
    .state = "its last state",
    .by_options =
        "back endless (keeps its last state) · ahead 0; without return_sequences a result "
        "so far; with go_backwards or stateful none"};

}  // namespace maskgrad::detail
