#include <maskgrad/layers/recurrent/rnn.hpp>

#include <maskgrad/layers/layer/description.hpp>

namespace maskgrad {
namespace {

/// A cell of any type as Recurrence runs it.
struct ErasedCell {
  static constexpr bool output_is_state = false;
  AnyLayer& cell;

  Tensor enter(const Tensor& x) const { return x; }
  bool runs_whole(const Tensor& x) const { return !x.is_meta() && cell.runs_whole(); }
  Tensors run_whole(const Tensor& x, const Tensors& states, bool backwards, bool) const {
    return cell.run_whole(x, states, backwards);
  }
  Tensor project(const Tensor& x) const { return x; }
  Tensors step(const Tensor& x, const Tensors& states) const {
    return detail::step_of(cell, x, states);
  }
};

}  // namespace

RNN::RNN(AnyLayer cell, RNNOptions options)
    : info(kind, options.name),
      cell_(std::move(cell)),
      recurrence_(std::move(options), cell_.state_sizes()) {
  if (cell_.state_sizes().empty()) {
    fail<OptionError>(kind,
                      "{} is no cell: it has no state_sizes(); expected one, as GRUCell, or "
                      "StackedRNNCells of several",
                      cell_.kind());
  }
}

RNN RNN::mirrored() const {
  RNN layer(cell_, options());
  layer.recurrence_ = recurrence_.mirrored();
  return layer;
}

Tensors RNN::forward(const Tensors& inputs) {
  return recurrence_.forward(ErasedCell{cell_}, inputs[0], {inputs.begin() + 1, inputs.end()},
                             options().return_state);
}

RNN RNN::from_options(extend::OptionReader& reader) {
  extend::JsonPart cell;
  RNNOptions options;
  reader(extend::required("cell"), cell);
  RNNOptions::each_option(options, reader);
  reader.finish();
  return RNN(detail::layer_from(kind, cell), options);
}

void RNN::write_options(extend::OptionWriter& writer) const {
  writer(extend::required("cell"), detail::part_of(cell_));
  RNNOptions::each_option(options(), writer);
}

}  // namespace maskgrad
