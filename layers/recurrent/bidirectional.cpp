#include <maskgrad/layers/recurrent/bidirectional.hpp>

#include <algorithm>
#include <array>
#include <optional>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/layers/recurrent/gru.hpp>
#include <maskgrad/layers/recurrent/linear_attention.hpp>
#include <maskgrad/layers/recurrent/lstm.hpp>
#include <maskgrad/layers/recurrent/min_gru.hpp>
#include <maskgrad/layers/recurrent/min_lstm.hpp>
#include <maskgrad/layers/recurrent/rg_lru.hpp>
#include <maskgrad/layers/recurrent/rnn.hpp>
#include <maskgrad/layers/recurrent/s6.hpp>
#include <maskgrad/layers/recurrent/simple_rnn.hpp>

namespace maskgrad {
namespace {

/// Around the layer, where it is one of these.
template <class... Ls>
std::optional<Bidirectional> of_any(AnyLayer& layer, const BidirectionalOptions& options) {
  std::optional<Bidirectional> both;
  const auto as = [&]<class L>(const L* own) {
    if (own) both.emplace(*own, options);
  };
  (as(layer.as_if<Ls>()), ...);
  return both;
}

}  // namespace

Bidirectional::Bidirectional(AnyLayer forward, AnyLayer backward, BidirectionalOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      forward_(std::move(forward)),
      backward_(std::move(backward)) {
  constexpr std::array<std::string_view, 5> modes = {"concat", "sum", "mul", "ave", "none"};
  const auto at = std::find(modes.begin(), modes.end(), options_.merge_mode);
  if (at == modes.end()) {
    fail<OptionError>(kind, "the option .merge_mode is '{}'; {}", options_.merge_mode,
                      nearest_hint(options_.merge_mode, modes));
  }
  merge_ = static_cast<Merge>(at - modes.begin());
}

Bidirectional Bidirectional::from_options(extend::OptionReader& reader) {
  extend::JsonPart layer;
  BidirectionalOptions options;
  reader(extend::required("layer"), layer);
  reader("merge_mode", options.merge_mode);
  reader("name", options.name);
  reader.finish();
  AnyLayer wrapped = detail::layer_from(kind, layer);
  if (auto both = of_any<SimpleRNN, GRU, LSTM, MinGRU, MinLSTM, RGLRU, S6, LinearAttention, RNN>(
          wrapped, options)) {
    return *both;
  }
  fail<OptionError>(kind, "it cannot wrap {}; expected a recurrent layer, as GRU", wrapped.kind());
}

void Bidirectional::write_options(extend::OptionWriter& writer) const {
  writer(extend::required("layer"), detail::part_of(forward_));
  writer("merge_mode", options_.merge_mode);
  writer("name", options_.name);
}

Tensors Bidirectional::merged(const Tensor& a, const Tensor& b) const {
  switch (merge_) {
    case Merge::sum:
      return {a + b};
    case Merge::mul:
      return {a * b};
    case Merge::ave:
      return {(a + b) * 0.5};
    case Merge::none:
      return {a, b};
    case Merge::concat:
      break;
  }
  return {concatenate({a, b}, -1)};
}

Tensors Bidirectional::forward(const Tensors& inputs) {
  const auto states = inputs.size() - 1;
  if (states % 2 != 0) {
    fail<ShapeError>(kind,
                     "{} initial states; expected the forward layer's, then as many of the "
                     "backward layer",
                     states);
  }
  const auto middle = inputs.begin() + 1 + static_cast<std::ptrdiff_t>(states / 2);
  Tensors there(inputs.begin(), middle), back{inputs[0]};
  back.insert(back.end(), middle, inputs.end());
  const Tensors a = forward_.call(there);
  const Tensors b = backward_.call(back);
  Tensors outputs = merged(a[0], b[0]);
  outputs.insert(outputs.end(), a.begin() + 1, a.end());
  outputs.insert(outputs.end(), b.begin() + 1, b.end());
  return outputs;
}

}  // namespace maskgrad
