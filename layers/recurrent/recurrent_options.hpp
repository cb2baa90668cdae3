#pragma once

#include <type_traits>

#include <maskgrad/core/kernels/recurrent/recurrent.hpp>
#include <maskgrad/layers/layer/initializer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {
namespace detail {

/// Stands for an option that a layer does not have: nothing can be assigned to it.
struct NoOption {
  template <class T>
  explicit constexpr NoOption(T) {}
};

/// The options of SimpleRNN, GRU and LSTM, or of their cells, in Keras's order: those of any of the
/// `cells`, and those of a run over time where it is a `layer`.
template <bool layer, kernels::Cell... cells>
struct RecurrentOptions {
  static constexpr bool gru = ((cells == kernels::Cell::gru) || ...);
  static constexpr bool lstm = ((cells == kernels::Cell::lstm) || ...);
  template <bool has, class T>
  using If = std::conditional_t<has, T, NoOption>;

  std::int64_t units;
  std::string activation = "tanh";
  If<gru || lstm, std::string> recurrent_activation{"sigmoid"};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  If<lstm, bool> unit_forget_bias{true};
  double dropout = 0;
  double recurrent_dropout = 0;
  If<layer, bool> return_sequences{false};
  If<layer, bool> return_state{false};
  If<layer, bool> go_backwards{false};
  If<layer, bool> stateful{false};
  /// Training keeps states alone, and backward runs forward once more, a chunk of time after the
  /// other: a fraction of the memory, the same bits.
  If<layer, bool> recompute{false};
  If<gru, bool> reset_after{true};
  std::string name = {};

  /// f(name, value...) for every option, with its value in each of `o`.
  template <class F, class... Os>
  static void each(F&& f, Os&... o) {
    f(extend::required("units"), o.units...);
    f("activation", o.activation...);
    f("recurrent_activation", o.recurrent_activation...);
    f("use_bias", o.use_bias...);
    f("kernel_initializer", o.kernel_initializer...);
    f("recurrent_initializer", o.recurrent_initializer...);
    f("bias_initializer", o.bias_initializer...);
    f("unit_forget_bias", o.unit_forget_bias...);
    f("dropout", o.dropout...);
    f("recurrent_dropout", o.recurrent_dropout...);
    f("return_sequences", o.return_sequences...);
    f("return_state", o.return_state...);
    f("go_backwards", o.go_backwards...);
    f("stateful", o.stateful...);
    f("recompute", o.recompute...);
    f("reset_after", o.reset_after...);
    f("name", o.name...);
  }
  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    const auto if_there = [&f]<class T>(extend::OptionName name, T& value) {
      if constexpr (!std::is_same_v<std::remove_const_t<T>, NoOption>) f(name, value);
    };
    each(if_there, o);
  }
};

/// Every option that one of them has; what it lacks is as if left out.
using RecurrentSettings = RecurrentOptions<true, kernels::Cell::gru, kernels::Cell::lstm>;

template <class Options>
RecurrentSettings settings_of(const Options& options) {
  RecurrentSettings settings{.units = options.units};
  const auto copy = []<class To, class From>(extend::OptionName, To& to, const From& from) {
    if constexpr (std::is_same_v<To, From>) to = from;
  };
  RecurrentSettings::each(copy, settings, options);
  return settings;
}

}  // namespace detail

using SimpleRNNOptions = detail::RecurrentOptions<true, kernels::Cell::simple_rnn>;
using SimpleRNNCellOptions = detail::RecurrentOptions<false, kernels::Cell::simple_rnn>;
using GRUOptions = detail::RecurrentOptions<true, kernels::Cell::gru>;
using GRUCellOptions = detail::RecurrentOptions<false, kernels::Cell::gru>;
using LSTMOptions = detail::RecurrentOptions<true, kernels::Cell::lstm>;
using LSTMCellOptions = detail::RecurrentOptions<false, kernels::Cell::lstm>;

/// The options of a run over time, whatever the cell.
struct RNNOptions {
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("return_sequences", o.return_sequences);
    f("return_state", o.return_state);
    f("go_backwards", o.go_backwards);
    f("stateful", o.stateful);
    f("name", o.name);
  }
};

}  // namespace maskgrad
