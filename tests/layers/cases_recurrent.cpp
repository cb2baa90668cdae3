#include "layers/layer_rows.hpp"

namespace maskgrad::tests {

namespace in_cases_recurrent {

void gru_cases(Rows& rows) {
  rows.add("last", GRU{{.units = 3}}, {features});
  rows.add("sequences, state, initial state",
           GRU{{.units = 3, .return_sequences = true, .return_state = true}}, {features, state},
           {.carriers = 1});
  rows.add("reset before, backwards",
           GRU{{.units = 3, .return_sequences = true, .go_backwards = true, .reset_after = false}},
           {features});
  rows.add("no bias, last backwards", GRU{{.units = 3, .use_bias = false, .go_backwards = true}},
           {features});
  rows.add("by steps",
           GRU{{.units = 3,
                .activation = "softsign",
                .recurrent_activation = "sigmoid",
                .return_sequences = true,
                .return_state = true}},
           {features, state}, {.carriers = 1});
  rows.add("by steps, reset before", GRU{{.units = 3, .activation = "silu", .reset_after = false}},
           {features});
  rows.add("recompute", GRU{{.units = 3, .return_sequences = true, .recompute = true}}, {features});
  rows.add("dropouts", GRU{{.units = 3, .dropout = 0.3, .recurrent_dropout = 0.3}}, {features},
           by_index);
}

void linear_cases(Rows& rows) {
  rows.add("sequences, state, initial state",
           MinGRU{{.units = 3, .return_sequences = true, .return_state = true}}, {features, state},
           {.carriers = 1});
  rows.add("sequences", MinGRU{{.units = 3, .return_sequences = true}}, {features});
  rows.add("last, backwards, no bias",
           MinGRU{{.units = 3, .activation = "softsign", .use_bias = false, .go_backwards = true}},
           {features});
  rows.add("sequences, state, initial state",
           MinLSTM{{.units = 3, .return_sequences = true, .return_state = true}}, {features, state},
           {.carriers = 1});
  rows.add("last", MinLSTM{{.units = 3}}, {features});
  rows.add("both directions", Bidirectional{MinLSTM{{.units = 2, .return_sequences = true}}},
           {features});
  rows.add("sequences, state, initial state",
           RGLRU{{.return_sequences = true, .return_state = true}}, {features, state},
           {.carriers = 1});
  rows.add("blocks", RGLRU{{.num_blocks = 3, .return_sequences = true}}, {features});
  rows.add("blocks, last, backwards, no bias",
           RGLRU{{.num_blocks = 3, .use_bias = false, .go_backwards = true}}, {features});
}

const CaseInput wide_state{.shape = {12}, .kind = InputKind::samples};

void s6_cases(Rows& rows) {
  const CaseInput window{.shape = {12}, .kind = InputKind::samples};
  rows.add("sequences, states, initial states",
           S6{{.state_size = 2, .kernel_size = 3, .return_sequences = true, .return_state = true}},
           {features, window, wide_state}, {.carriers = 1});
  rows.add("last, backwards, all biases",
           S6{{.state_size = 2,
               .kernel_size = 2,
               .expand = 1,
               .delta_rank = 2,
               .use_bias = true,
               .go_backwards = true}},
           {features});
  rows.add("no convolution",
           S6{{.state_size = 1,
               .kernel_size = 1,
               .expand = 1,
               .use_conv_bias = false,
               .return_sequences = true}},
           {features});
}

void linear_attention_cases(Rows& rows) {
  rows.add("sequences, state, initial state",
           LinearAttention{{.num_heads = 2,
                            .key_dim = 2,
                            .value_dim = 3,
                            .decay = "learned",
                            .return_sequences = true,
                            .return_state = true}},
           {features, wide_state}, {.carriers = 1});
  rows.add("last, backwards, fixed decay",
           LinearAttention{{.num_heads = 2, .key_dim = 2, .output_shape = 2, .go_backwards = true}},
           {features});
  rows.add("no decay, no bias",
           LinearAttention{{.num_heads = 1,
                            .key_dim = 2,
                            .decay = "none",
                            .use_bias = false,
                            .return_sequences = true}},
           {features});
}

}  // namespace in_cases_recurrent

void recurrent_cases(Rows& rows) {
  using namespace in_cases_recurrent;
  gru_cases(rows);
  linear_cases(rows);
  s6_cases(rows);
  linear_attention_cases(rows);
  rows.add("sequences, states, initial states",
           LSTM{{.units = 3, .return_sequences = true, .return_state = true}},
           {features, state, state}, {.carriers = 1});
  rows.add("recompute", LSTM{{.units = 3, .recompute = true}}, {features});
  rows.add("last, backwards, no bias", LSTM{{.units = 3, .use_bias = false, .go_backwards = true}},
           {features});
  rows.add(
      "by steps",
      LSTM{{.units = 3, .activation = "softsign", .return_sequences = true, .return_state = true}},
      {features, state, state}, {.carriers = 1});
  rows.add("sequences, state, initial state",
           SimpleRNN{{.units = 3, .return_sequences = true, .return_state = true}},
           {features, state}, {.carriers = 1});
  rows.add("by steps, last", SimpleRNN{{.units = 3, .activation = "sigmoid"}}, {features});
  for (const std::string mode : {"concat", "sum", "mul", "ave"}) {
    rows.add(mode, Bidirectional{GRU{{.units = 3, .return_sequences = true}}, {.merge_mode = mode}},
             {features});
  }
  rows.add("none",
           Bidirectional{SimpleRNN{{.units = 3, .return_sequences = true}}, {.merge_mode = "none"}},
           {features});
  rows.add("GRUCell, sequences, state, initial state",
           RNN{GRUCell{{.units = 3}}, {.return_sequences = true, .return_state = true}},
           {features, state}, {.carriers = 1});
  rows.add("stacked, last, backwards",
           RNN{StackedRNNCells({SimpleRNNCell{{.units = 2}}, LSTMCell{{.units = 3}}}),
               {.go_backwards = true}},
           {features});
  rows.add("stacked, by steps",
           RNN{StackedRNNCells(
               {SimpleRNNCell{{.units = 2, .activation = "sigmoid"}}, LSTMCell{{.units = 3}}})},
           {features});
  rows.add("of an RNN", Bidirectional{RNN{SimpleRNNCell{{.units = 2}}, {.return_sequences = true}}},
           {features});
  rows.add("", SimpleRNNCell{{.units = 3}}, {features, features});
  rows.add("", GRUCell{{.units = 3, .reset_after = false}}, {features, features});
  rows.add("", LSTMCell{{.units = 3}}, {features, features, features});
  rows.add("", StackedRNNCells({GRUCell{{.units = 3}}, SimpleRNNCell{{.units = 3}}}),
           {features, features, features});
  rows.add("last, states, initial states", Bidirectional{LSTM{{.units = 3, .return_state = true}}},
           {features, state, state, state, state});
}

}  // namespace maskgrad::tests
