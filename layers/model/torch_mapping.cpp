#include <maskgrad/layers/model/torch_mapping.hpp>

namespace maskgrad::torch_mapping {
namespace {

Numbers same(const List& x) {
  return x[0];
}
Numbers matrix(const List& x) {
  return transposed(x[0]);
}
Numbers filters(const List& x) {
  return reversed(x[0]);
}

// Recurrent layers. PyTorch adds two biases where Keras's LSTM and SimpleRNN have one.
Numbers gru_matrix(const List& x) {
  return transposed(gates_swapped(x[0]));
}
Numbers to_gru_matrix(const List& x) {
  return gates_swapped(transposed(x[0]));
}
Numbers gru_bias(const List& x) {
  return both(gates_swapped(x[0]), gates_swapped(x[1]), false);
}
template <std::size_t i>
Numbers gru_bias_row(const List& x) {
  return gates_swapped(row(x[0], i));
}
Numbers bias_sum(const List& x) {
  return both(x[0], x[1], true);
}
Numbers no_bias(const List& x) {
  return {x[0].shape, std::vector<double>(x[0].values.size(), 0)};
}

// Attention.
template <std::size_t i>
Numbers third_matrix(const List& x) {
  return transposed(third(x[0], i));
}
template <std::size_t i>
Numbers third_bias(const List& x) {
  return third(x[0], i);
}
Numbers joined_matrix(const List& x) {
  return transposed(heads_joined(x[0], true));
}
Numbers joined_output(const List& x) {
  return transposed(heads_joined(x[0], false));
}
Numbers matrices(const List& x) {
  return stacked({joined_matrix({x[0]}), joined_matrix({x[1]}), joined_matrix({x[2]})});
}
Numbers biases(const List& x) {
  return stacked({heads_joined(x[0], true), heads_joined(x[1], true), heads_joined(x[2], true)});
}

// PReLU's slopes, which have an axis for each shared one here.
Numbers slopes(const List& x) {
  Numbers made = x[0];
  while (made.shape.size() > 1) made = heads_joined(std::move(made), true);
  return made;
}

Row scale_and_shift(std::string_view kind) {
  return {kind,
          {{"gamma", {"weight"}, same}, {"beta", {"bias"}, same}},
          {{"weight", {"gamma"}, same}, {"bias", {"beta"}, same}}};
}

Row convolution(std::string_view kind) {
  return {kind,
          {{"kernel", {"weight"}, filters}, {"bias", {"bias"}, same}},
          {{"weight", {"kernel"}, filters}, {"bias", {"bias"}, same}}};
}

Row recurrent(std::string_view kind) {
  return {kind,
          {{"kernel", {"weight_ih"}, matrix},
           {"recurrent_kernel", {"weight_hh"}, matrix},
           {"bias", {"bias_ih", "bias_hh"}, bias_sum}},
          {{"weight_ih", {"kernel"}, matrix},
           {"weight_hh", {"recurrent_kernel"}, matrix},
           {"bias_ih", {"bias"}, same},
           {"bias_hh", {"bias"}, no_bias}}};
}

Row gru(std::string_view kind) {
  return {kind,
          {{"kernel", {"weight_ih"}, gru_matrix},
           {"recurrent_kernel", {"weight_hh"}, gru_matrix},
           {"bias", {"bias_ih", "bias_hh"}, gru_bias}},
          {{"weight_ih", {"kernel"}, to_gru_matrix},
           {"weight_hh", {"recurrent_kernel"}, to_gru_matrix},
           {"bias_ih", {"bias"}, gru_bias_row<0>},
           {"bias_hh", {"bias"}, gru_bias_row<1>}}};
}

Row attention() {
  return {"MultiHeadAttention",
          {{"query/kernel", {"in_proj_weight"}, third_matrix<0>},
           {"query/kernel", {"q_proj_weight"}, matrix},
           {"query/bias", {"in_proj_bias"}, third_bias<0>},
           {"key/kernel", {"in_proj_weight"}, third_matrix<1>},
           {"key/kernel", {"k_proj_weight"}, matrix},
           {"key/bias", {"in_proj_bias"}, third_bias<1>},
           {"value/kernel", {"in_proj_weight"}, third_matrix<2>},
           {"value/kernel", {"v_proj_weight"}, matrix},
           {"value/bias", {"in_proj_bias"}, third_bias<2>},
           {"output/kernel", {"out_proj.weight"}, matrix},
           {"output/bias", {"out_proj.bias"}, same}},
          {{"in_proj_weight", {"query/kernel", "key/kernel", "value/kernel"}, matrices},
           {"q_proj_weight", {"query/kernel"}, joined_matrix},
           {"k_proj_weight", {"key/kernel"}, joined_matrix},
           {"v_proj_weight", {"value/kernel"}, joined_matrix},
           {"in_proj_bias", {"query/bias", "key/bias", "value/bias"}, biases},
           {"out_proj.weight", {"output/kernel"}, joined_output},
           {"out_proj.bias", {"output/bias"}, same}}};
}

Row batch_normalization() {
  Row made = scale_and_shift("BatchNormalization");
  const auto add = [&](std::string_view ours, std::string_view theirs) {
    made.ours.push_back({ours, {theirs}, same});
    made.theirs.push_back({theirs, {ours}, same});
  };
  add("moving_mean", "running_mean");
  add("moving_variance", "running_var");
  made.count = "num_batches_tracked";
  return made;
}

Row one(std::string_view kind, std::string_view ours) {
  return {kind, {{ours, {"weight"}, same}}, {{"weight", {ours}, same}}};
}

}  // namespace

const std::vector<Row>& table() {
  static const std::vector<Row> rows = {
      batch_normalization(),
      convolution("Conv1D"),
      convolution("Conv1DTranspose"),
      {"Dense",
       {{"kernel", {"weight"}, matrix}, {"bias", {"bias"}, same}},
       {{"weight", {"kernel"}, matrix}, {"bias", {"bias"}, same}}},
      one("Embedding", "embeddings"),
      gru("GRU"),
      gru("GRUCell"),
      scale_and_shift("GroupNormalization"),
      recurrent("LSTM"),
      recurrent("LSTMCell"),
      scale_and_shift("LayerNormalization"),
      convolution("MaskedConv1D"),
      attention(),
      {"PReLU", {{"alpha", {"weight"}, same}}, {{"weight", {"alpha"}, slopes}}},
      one("RMSNormalization", "scale"),
      recurrent("SimpleRNN"),
      recurrent("SimpleRNNCell"),
  };
  return rows;
}

}  // namespace maskgrad::torch_mapping
