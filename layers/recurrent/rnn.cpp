#include <maskgrad/layers/recurrent/rnn.hpp>

#include <maskgrad/autograd/ops/sequence.hpp>
#include <maskgrad/autograd/ops/slice.hpp>
#include <maskgrad/layers/check.hpp>
#include <maskgrad/layers/factory.hpp>

namespace maskgrad {
namespace {

/// The output of the step that ran last in each sequence.
Tensor last_of(const Tensor& x, const Tensor& output, bool backwards) {
  if (x.has_mask() && x.mask().rank() == 2) {
    return backwards ? first_valid(output) : last_valid(output);
  }
  const auto time = output.shape()[1];
  if (time != 0) return select(output, 1, backwards ? 0 : -1);
  return last_output(x, zeros({output.shape()[0], output.shape()[2]}, output.dtype()));
}

}  // namespace

RNN::RNN(AnyLayer cell, RNNOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      cell_(std::move(cell)),
      carried_(cell_.state_sizes()) {
  if (cell_.state_sizes().empty()) {
    fail<OptionError>(kind,
                      "{} is no cell: it has no state_sizes(); expected one, as GRUCell, or "
                      "StackedRNNCells of several",
                      cell_.kind());
  }
}

RNN RNN::mirrored() const {
  RNNOptions other = options_;
  other.go_backwards = !other.go_backwards;
  RNN layer(cell_, other);
  layer.flipped_ = !flipped_;
  return layer;
}

MaskContract RNN::contract_now() const {
  return recurrent_contract_of({.cell = {}, .return_sequences = options_.return_sequences});
}

Tensors RNN::initial_states(const Tensors& inputs) const {
  const auto sizes = cell_.state_sizes();
  const Tensor& x = inputs[0];
  Tensors given(inputs.begin() + 1, inputs.end());
  if (given.size() > sizes.size()) {
    fail<ShapeError>(kind, "{} inputs; expected x and up to {} initial states", inputs.size(),
                     sizes.size());
  }
  if (given.empty() && options_.stateful && !x.is_meta()) {
    given = carried_.begin(kind, x.shape()[0]);
  }
  given.resize(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Shape expected{x.shape()[0], sizes[i]};
    if (given[i].defined() && !fits(given[i].shape(), expected)) {
      fail<ShapeError>(kind, "initial state {} is {}; expected {}", i, given[i].describe(),
                       expected);
    }
    given[i] = x.is_meta() && !given[i].defined() ? rows::make_meta(expected, x.dtype(), Mask())
                                                  : first_state(x, given[i], sizes[i]);
  }
  return given;
}

SteppedResult RNN::without_steps(const Tensor& x, const Tensors& states) {
  const Mask samples =
      x.has_mask() ? masks::meta(x.mask().shape().sub(0, 1), x.mask().origin()) : Mask();
  Tensors given{rows::make_meta({x.shape()[0], x.shape()[2]}, x.dtype(), samples)};
  for (const auto& s : states) given.push_back(rows::make_meta(s.shape(), s.dtype(), s.mask()));
  const Shape out = cell_.call(given)[0].shape();
  const Shape all = x.shape().sub(0, 2) + out.sub(1, out.rank());
  return {x.is_meta() ? rows::make_meta(all, x.dtype(), x.mask())
                      : rows::make_zeros(all, x.dtype(), x.mask()),
          states};
}

Tensors RNN::forward(const Tensors& inputs) {
  const Tensor& x = inputs[0];
  check::layer_rank(info, kind, x, 3, "[batch, time, features]");
  const Tensors initial = initial_states(inputs);
  SteppedResult result;
  if (x.is_meta() || x.shape()[1] == 0) {
    result = without_steps(x, initial);
  } else if (runs_whole(cell_)) {
    result = run_whole(cell_, x, initial, options_.go_backwards);
  } else {
    result = run_by_steps(x, initial, options_.go_backwards,
                          [this](const Tensor& x_t, const Tensors& states) {
                            Tensors given{x_t};
                            given.insert(given.end(), states.begin(), states.end());
                            return cell_.call(given);
                          });
  }
  if (options_.stateful && !x.is_meta()) carried_.keep(result.states);
  Tensors outputs;
  if (!options_.return_sequences) {
    outputs.push_back(last_of(x, result.output, options_.go_backwards));
  } else {
    const bool turn = options_.go_backwards != flipped_;
    outputs.push_back(turn ? reverse(result.output) : result.output);
  }
  if (options_.return_state) {
    outputs.insert(outputs.end(), result.states.begin(), result.states.end());
  }
  return outputs;
}

RNN RNN::from_options(OptionReader& reader) {
  JsonPart cell;
  RNNOptions options;
  reader(required("cell"), cell);
  RNNOptions::each_option(options, reader);
  reader.finish();
  return RNN(detail::layer_from(kind, cell), options);
}

void RNN::write_options(OptionWriter& writer) const {
  writer(required("cell"), detail::part_of(cell_));
  RNNOptions::each_option(options_, writer);
}

}  // namespace maskgrad
