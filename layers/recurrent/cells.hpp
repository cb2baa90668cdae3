#pragma once

#include <maskgrad/layers/any_layer.hpp>
#include <maskgrad/layers/recurrent/by_steps.hpp>
#include <maskgrad/layers/recurrent/recurrent_core.hpp>

namespace maskgrad {

/// A recurrent cell is a layer that makes one step: `forward` takes x [batch, features] and its
/// states, gives the output and the states behind it; `state_sizes()` says how wide they are. RNN
/// runs one over time, also one of the user's own.
inline constexpr MaskContract cell_contract{
    .role = MaskRole::propagates,
    .why = "makes one step of each sample by itself",
    .full_role = MaskRole::unsupported,
    .ways_out =
        "a mask over samples · x.drop_mask(\"why\", fill) to put a value where a feature is "
        "missing"};

struct SimpleRNNCellOptions {
  std::int64_t units;
  std::string activation = "tanh";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  double dropout = 0;
  double recurrent_dropout = 0;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(required("units"), o.units);
    f("activation", o.activation);
    f("use_bias", o.use_bias);
    f("kernel_initializer", o.kernel_initializer);
    f("recurrent_initializer", o.recurrent_initializer);
    f("bias_initializer", o.bias_initializer);
    f("dropout", o.dropout);
    f("recurrent_dropout", o.recurrent_dropout);
    f("name", o.name);
  }
  RecurrentSettings settings() const;
};

struct GRUCellOptions {
  std::int64_t units;
  std::string activation = "tanh";
  std::string recurrent_activation = "sigmoid";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  double dropout = 0;
  double recurrent_dropout = 0;
  bool reset_after = true;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(required("units"), o.units);
    f("activation", o.activation);
    f("recurrent_activation", o.recurrent_activation);
    f("use_bias", o.use_bias);
    f("kernel_initializer", o.kernel_initializer);
    f("recurrent_initializer", o.recurrent_initializer);
    f("bias_initializer", o.bias_initializer);
    f("dropout", o.dropout);
    f("recurrent_dropout", o.recurrent_dropout);
    f("reset_after", o.reset_after);
    f("name", o.name);
  }
  RecurrentSettings settings() const;
};

struct LSTMCellOptions {
  std::int64_t units;
  std::string activation = "tanh";
  std::string recurrent_activation = "sigmoid";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  bool unit_forget_bias = true;
  double dropout = 0;
  double recurrent_dropout = 0;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(required("units"), o.units);
    f("activation", o.activation);
    f("recurrent_activation", o.recurrent_activation);
    f("use_bias", o.use_bias);
    f("kernel_initializer", o.kernel_initializer);
    f("recurrent_initializer", o.recurrent_initializer);
    f("bias_initializer", o.bias_initializer);
    f("unit_forget_bias", o.unit_forget_bias);
    f("dropout", o.dropout);
    f("recurrent_dropout", o.recurrent_dropout);
    f("name", o.name);
  }
  RecurrentSettings settings() const;
};

/// What the three cells have in common; the class below each names it.
template <class Derived, class CellOptions>
class RecurrentCell {
 public:
  using Options = CellOptions;
  static constexpr MaskContract contract = cell_contract;

  explicit RecurrentCell(Options options)
      : info(Derived::kind, options.name),
        options_(std::move(options)),
        core_(Derived::kind, options_.settings()) {}

  std::vector<std::int64_t> state_sizes() const {
    return std::vector<std::int64_t>(static_cast<std::size_t>(core_.states()), options_.units);
  }
  void build(const Tensor& x, Builder& builder) { core_.build(info, Derived::kind, x, builder); }
  Tensors forward(const Tensors& inputs) const {
    return core_.forward_cell(info, Derived::kind, inputs);
  }
  /// See maskgrad::runs_whole, maskgrad::run_whole.
  bool runs_whole() const { return info.built && core_.runs_whole(); }
  SteppedResult run_whole(const Tensor& x, const Tensors& states, bool backwards) const {
    const LayerScope scope(Derived::kind, info.path);
    return core_.run_whole(info, Derived::kind, x, states, backwards);
  }
  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    RecurrentCore::each_parameter(self.core_, f);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
  RecurrentCore core_;
};

/// One step of SimpleRNN, GRU, LSTM: their options, weights and formulas.
/// Shapes:   x [..., features], states [..., units] -> output [..., units], the states.
/// Mask:     propagates.
/// Source:   Keras 3, SimpleRNNCell, GRUCell, LSTMCell.
class SimpleRNNCell : public RecurrentCell<SimpleRNNCell, SimpleRNNCellOptions> {
 public:
  static constexpr std::string_view kind = "SimpleRNNCell";
  using RecurrentCell::RecurrentCell;
};
class GRUCell : public RecurrentCell<GRUCell, GRUCellOptions> {
 public:
  static constexpr std::string_view kind = "GRUCell";
  using RecurrentCell::RecurrentCell;
};
class LSTMCell : public RecurrentCell<LSTMCell, LSTMCellOptions> {
 public:
  static constexpr std::string_view kind = "LSTMCell";
  using RecurrentCell::RecurrentCell;
};

/// Cells on top of each other as one: the output of each is the next one's input.
/// Shapes:   x [batch, features], the states of all in order -> the last output, all states.
/// Mask:     propagates a mask over samples.
/// Throws:   OptionError without cells, or for a layer that is none.
/// Source:   Keras 3, StackedRNNCells.
class StackedRNNCells {
 public:
  static constexpr std::string_view kind = "StackedRNNCells";
  static constexpr MaskContract contract = cell_contract;

  explicit StackedRNNCells(std::vector<AnyLayer> cells, std::string name = "");
  static StackedRNNCells from_options(OptionReader& reader);
  void write_options(OptionWriter& writer) const;

  std::vector<std::int64_t> state_sizes() const;
  Tensors forward(const Tensors& inputs);
  bool runs_whole();
  SteppedResult run_whole(const Tensor& x, const Tensors& states, bool backwards);
  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    for (auto& cell : self.cells_) f(cell.info().name, cell);
  }

  LayerInfo info;

 private:
  std::vector<AnyLayer> cells_;
};

/// Whether the kernels run `cell` over whole sequences: SimpleRNNCell, GRUCell and LSTMCell with
/// tanh and sigmoid, in training without dropout, once built; StackedRNNCells of these.
bool runs_whole(AnyLayer& cell);
/// What run_by_steps gives with such a cell.
SteppedResult run_whole(AnyLayer& cell, const Tensor& x, const Tensors& states, bool backwards);

}  // namespace maskgrad
