#pragma once

#include <maskgrad/layers/layer/any_layer.hpp>
#include <maskgrad/layers/recurrent/recurrent_layer.hpp>

namespace maskgrad {

namespace extend {

/// A recurrent cell is a layer that makes one step: `forward` takes x [batch, features] and its
/// states, gives the output and the states behind it; `state_sizes()` says how wide they are. RNN
/// runs one over time, also one of the user's own. A cell may have a faster way over whole
/// sequences: while it `runs_whole()`, `run_whole(x, states, backwards)` gives all outputs, then
/// the last states, as steps would; undefined states are zeros. So do the library's own, by the
/// kernels of SimpleRNN, GRU and LSTM: with tanh and sigmoid, in training without dropout, once
/// built.
inline constexpr MaskContract cell_contract{
    .role = MaskRole::propagates,
    .why = "makes one step of each sample by itself",
    .full_role = MaskRole::unsupported,
    .ways_out =
        "a mask over samples · x.drop_mask(\"why\", fill) to put a value where a feature is "
        "missing"};

}  // namespace extend

namespace detail {

/// One step of a cell of any type -> the output, then the states behind it.
Tensors step_of(AnyLayer& cell, const Tensor& x, const Tensors& states);

/// What the three cells have in common; the class of each names it.
template <class Derived, kernels::Cell cell>
class RecurrentCell : public RecurrentBase<Derived, false, cell> {
  using Base = RecurrentBase<Derived, false, cell>;

 public:
  using Base::info, Base::Base;
  static constexpr MaskContract contract = extend::cell_contract;

  std::vector<std::int64_t> state_sizes() const { return this->core_.state_sizes(); }
  Tensors forward(const Tensors& inputs) const { return this->core_.forward_cell(inputs); }
  bool runs_whole() const {
    return info.built && this->core_.fused() && !this->core_.drops_inputs();
  }
  Tensors run_whole(const Tensor& x, const Tensors& states, bool backwards) const {
    return this->core_.run_whole(this->core_.enter(x), states, backwards);
  }
};

}  // namespace detail

/// One step of SimpleRNN, GRU, LSTM: their options, weights and formulas.
/// Shapes:   x [..., features], states [..., units] -> output [..., units], the states.
/// Mask:     propagates.
/// Source:   Keras 3, SimpleRNNCell, GRUCell, LSTMCell.
/// Example:  mg::RNN rnn{mg::GRUCell{{.units = 8}}, {.return_sequences = true}};
///           mg::build(rnn, spec);
///           rnn(x);  // [4, 5, 8]
class SimpleRNNCell : public detail::RecurrentCell<SimpleRNNCell, kernels::Cell::simple_rnn> {
 public:
  static constexpr std::string_view kind = "SimpleRNNCell";
  using RecurrentCell::RecurrentCell;
};
/// A step of a GRU, for RNN; see SimpleRNNCell.
class GRUCell : public detail::RecurrentCell<GRUCell, kernels::Cell::gru> {
 public:
  static constexpr std::string_view kind = "GRUCell";
  using RecurrentCell::RecurrentCell;
};
/// A step of an LSTM, for RNN; see SimpleRNNCell.
class LSTMCell : public detail::RecurrentCell<LSTMCell, kernels::Cell::lstm> {
 public:
  static constexpr std::string_view kind = "LSTMCell";
  using RecurrentCell::RecurrentCell;
};

/// Cells on top of each other as one: the output of each is the next one's input.
/// Shapes:   x [batch, features], the states of all in order -> the last output, all states.
/// Mask:     propagates a mask over samples.
/// Throws:   OptionError without cells, or for a layer that is none.
/// Source:   Keras 3, StackedRNNCells.
/// Example:  mg::StackedRNNCells cells({mg::GRUCell{{.units = 16}}, mg::LSTMCell{{.units = 8}}});
///           mg::RNN rnn{cells};
///           mg::build(rnn, spec);
///           rnn(x);  // [4, 8]
class StackedRNNCells {
 public:
  static constexpr std::string_view kind = "StackedRNNCells";
  static constexpr MaskContract contract = extend::cell_contract;

  explicit StackedRNNCells(std::vector<AnyLayer> cells, std::string name = "");
  static StackedRNNCells from_options(extend::OptionReader& reader);
  void write_options(extend::OptionWriter& writer) const;

  std::vector<std::int64_t> state_sizes() const;
  Tensors forward(const Tensors& inputs);
  bool runs_whole() const;
  Tensors run_whole(const Tensor& x, const Tensors& states, bool backwards);
  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    for (auto& cell : self.cells_) f(cell.info().name, cell);
  }

  LayerInfo info;

 private:
  /// x and the states through `run(cell, x, states)` of one cell after the other.
  template <class F>
  Tensors through_all(const Tensor& x, const Tensors& states, const F& run);

  std::vector<AnyLayer> cells_;
};

}  // namespace maskgrad
