#pragma once

#include "layers/layer_draws.hpp"

/// How the options of recurrent layers are drawn.
namespace maskgrad::tests::in_layer_draws {

using Json = nlohmann::json;

inline Json described(std::string_view kind, Json config) {
  return {{"class_name", kind}, {"config", std::move(config)}};
}

inline Json cell(Dice& d, std::int64_t) {
  return {{"units", d.between(1, 3)}, {"use_bias", d.coin()}};
}

inline Json recurrent(Dice& d, std::int64_t) {
  return {{"units", d.between(1, 3)}, {"activation", d.one_of<std::string>({"tanh", "softsign"})},
          {"use_bias", d.coin()},     {"return_sequences", d.coin()},
          {"return_state", d.coin()}, {"go_backwards", d.coin()}};
}

inline Json gru(Dice& d, std::int64_t features) {
  Json options = recurrent(d, features);
  options["reset_after"] = d.coin();
  return options;
}

inline Json min_rnn(Dice& d, std::int64_t features) {
  Json options = recurrent(d, features);
  options["activation"] = d.one_of<std::string>({"linear", "tanh"});
  return options;
}

inline Json rg_lru(Dice& d, std::int64_t features) {
  Json options = recurrent(d, features);
  options.erase("units");
  options.erase("activation");
  options["num_blocks"] = features % 2 == 0 ? d.between(1, 2) : 1;
  return options;
}

inline Json s6(Dice& d, std::int64_t features) {
  Json options = recurrent(d, features);
  options.erase("units");
  options.erase("activation");
  options["state_size"] = d.between(1, 3);
  options["kernel_size"] = d.between(1, 3);
  options["expand"] = d.between(1, 2);
  return options;
}

inline Json linear_attention(Dice& d, std::int64_t features) {
  Json options = recurrent(d, features);
  options.erase("units");
  options.erase("activation");
  options["num_heads"] = d.between(1, 2);
  options["key_dim"] = d.between(1, 3);
  options["decay"] = d.one_of<std::string>({"fixed", "learned", "none"});
  return options;
}

inline Json bidirectional(Dice& d, std::int64_t features) {
  Json inner = recurrent(d, features);
  inner["return_state"] = false;
  return {{"layer", described(d.one_of<std::string>({"SimpleRNN", "GRU", "LSTM"}), inner)},
          {"merge_mode", d.one_of<std::string>({"concat", "sum", "mul", "ave"})}};
}

inline Json rnn(Dice& d, std::int64_t features) {
  const auto some_cell = [&] {
    return described(d.one_of<std::string>({"SimpleRNNCell", "GRUCell", "LSTMCell"}),
                     cell(d, features));
  };
  const Json one = some_cell();
  const Json stack = described("StackedRNNCells", {{"cells", {one, some_cell()}}});
  return {{"cell", d.coin() ? one : stack},
          {"return_sequences", d.coin()},
          {"return_state", d.coin()},
          {"go_backwards", d.coin()}};
}

}  // namespace maskgrad::tests::in_layer_draws
