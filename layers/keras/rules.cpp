#include <maskgrad/layers/keras/rules.hpp>

#include <algorithm>
#include <map>

// Source: keras/src/layers of Keras 3.15: `supports_masking`, `compute_mask`, and what calls read.

namespace maskgrad::detail {
namespace {

struct RuleRow {
  std::string_view class_name;
  KerasRole role;
  KerasSteps steps;
  std::string_view why = {};
};

constexpr std::string_view why_reads = "reads padding as data";
constexpr std::string_view why_windows = "a window mixes steps with padding";
constexpr std::string_view why_greatest = "padding can be the greatest";
constexpr std::string_view why_merged = "steps become features";
constexpr std::string_view why_keys = "scores padding as keys";

constexpr RuleRow rows_of_layers[] = {
    {"Masking", KerasRole::makes, KerasSteps::each},
    {"Embedding", KerasRole::passes, KerasSteps::each},
    {"Dense", KerasRole::passes, KerasSteps::each},
    {"EinsumDense", KerasRole::passes, KerasSteps::each},
    {"Activation", KerasRole::passes, KerasSteps::each},
    {"ReLU", KerasRole::passes, KerasSteps::each},
    {"LeakyReLU", KerasRole::passes, KerasSteps::each},
    {"PReLU", KerasRole::passes, KerasSteps::each},
    {"ELU", KerasRole::passes, KerasSteps::each},
    {"ThresholdedReLU", KerasRole::passes, KerasSteps::each},
    {"Softmax", KerasRole::passes, KerasSteps::each},
    {"Dropout", KerasRole::passes, KerasSteps::each},
    {"SpatialDropout1D", KerasRole::passes, KerasSteps::each},
    {"GaussianDropout", KerasRole::passes, KerasSteps::each},
    {"AlphaDropout", KerasRole::passes, KerasSteps::each},
    {"GaussianNoise", KerasRole::passes, KerasSteps::each},
    {"ActivityRegularization", KerasRole::passes, KerasSteps::each},
    {"Identity", KerasRole::passes, KerasSteps::each},
    {"Rescaling", KerasRole::passes, KerasSteps::each},
    {"Normalization", KerasRole::drops, KerasSteps::each},
    {"LayerNormalization", KerasRole::passes, KerasSteps::each},
    {"RMSNormalization", KerasRole::passes, KerasSteps::each},
    {"UnitNormalization", KerasRole::passes, KerasSteps::each},
    {"BatchNormalization", KerasRole::passes, KerasSteps::each},
    {"GroupNormalization", KerasRole::passes, KerasSteps::reads, "its statistics count padding"},
    {"TimeDistributed", KerasRole::passes, KerasSteps::each},
    {"SimpleRNN", KerasRole::reads, KerasSteps::reads, why_reads},
    {"GRU", KerasRole::reads, KerasSteps::reads, why_reads},
    {"LSTM", KerasRole::reads, KerasSteps::reads, why_reads},
    {"CuDNNGRU", KerasRole::reads, KerasSteps::reads, why_reads},
    {"CuDNNLSTM", KerasRole::reads, KerasSteps::reads, why_reads},
    {"RNN", KerasRole::reads, KerasSteps::reads, why_reads},
    {"ConvLSTM1D", KerasRole::reads, KerasSteps::reads, why_reads},
    {"ConvLSTM2D", KerasRole::reads, KerasSteps::reads, why_reads},
    {"ConvLSTM3D", KerasRole::reads, KerasSteps::reads, why_reads},
    {"Bidirectional", KerasRole::reads, KerasSteps::reads,
     "reads padding as data, the backward half begins with it"},
    {"MultiHeadAttention", KerasRole::reads, KerasSteps::reads, why_keys},
    {"GroupedQueryAttention", KerasRole::reads, KerasSteps::reads, why_keys},
    {"Attention", KerasRole::reads, KerasSteps::reads, why_keys},
    {"AdditiveAttention", KerasRole::reads, KerasSteps::reads, why_keys},
    {"GlobalAveragePooling1D", KerasRole::reads, KerasSteps::ends, "the mean counts padding"},
    {"GlobalMaxPooling1D", KerasRole::drops, KerasSteps::ends, why_greatest},
    {"Add", KerasRole::merges, KerasSteps::each},
    {"Subtract", KerasRole::merges, KerasSteps::each},
    {"Multiply", KerasRole::merges, KerasSteps::each},
    {"Average", KerasRole::merges, KerasSteps::each},
    {"Maximum", KerasRole::merges, KerasSteps::each},
    {"Minimum", KerasRole::merges, KerasSteps::each},
    {"Merge", KerasRole::merges, KerasSteps::each},
    {"Concatenate", KerasRole::concatenates, KerasSteps::each},
    {"Dot", KerasRole::drops, KerasSteps::positions, "it sums over padding"},
    {"RepeatVector", KerasRole::drops, KerasSteps::each},
    {"Permute", KerasRole::drops, KerasSteps::positions, why_merged},
    {"Reshape", KerasRole::drops, KerasSteps::positions, "fixed shape"},
    {"Flatten", KerasRole::drops, KerasSteps::positions, why_merged},
    {"Conv1D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"DepthwiseConv1D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"SeparableConv1D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"Conv1DTranspose", KerasRole::drops, KerasSteps::windows, why_windows},
    {"LocallyConnected1D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"MaxPooling1D", KerasRole::drops, KerasSteps::windows, why_greatest},
    {"AveragePooling1D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"UpSampling1D", KerasRole::drops, KerasSteps::windows, "padding is repeated like steps"},
    {"ZeroPadding1D", KerasRole::drops, KerasSteps::windows, "padding stays before the zeros"},
    {"Cropping1D", KerasRole::drops, KerasSteps::windows, "it cuts by position, padding or not"},
    {"AdaptiveAveragePooling1D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"AdaptiveMaxPooling1D", KerasRole::drops, KerasSteps::windows, why_greatest},
    {"Conv2D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"Conv3D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"Conv2DTranspose", KerasRole::drops, KerasSteps::windows, why_windows},
    {"DepthwiseConv2D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"SeparableConv2D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"LocallyConnected2D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"MaxPooling2D", KerasRole::drops, KerasSteps::windows, why_greatest},
    {"MaxPooling3D", KerasRole::drops, KerasSteps::windows, why_greatest},
    {"AveragePooling2D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"AveragePooling3D", KerasRole::drops, KerasSteps::windows, why_windows},
    {"UpSampling2D", KerasRole::drops, KerasSteps::windows, "padding is repeated like steps"},
    {"ZeroPadding2D", KerasRole::drops, KerasSteps::windows, "padding stays before the zeros"},
    {"Cropping2D", KerasRole::drops, KerasSteps::windows, "it cuts by position, padding or not"},
    {"GlobalAveragePooling2D", KerasRole::drops, KerasSteps::ends, "the mean counts padding"},
    {"GlobalMaxPooling2D", KerasRole::drops, KerasSteps::ends, why_greatest},
    {"SpatialDropout2D", KerasRole::passes, KerasSteps::each},
    {"Discretization", KerasRole::drops, KerasSteps::each},
    {"Hashing", KerasRole::drops, KerasSteps::each},
    {"CategoryEncoding", KerasRole::drops, KerasSteps::ends, "it counts padding among its ids"},
    {"Lambda", KerasRole::drops, KerasSteps::unknown},
    {"InputLayer", KerasRole::passes, KerasSteps::each},
};

// Functions of Keras 3's ops over axes; the others are taken for ones of each value.
constexpr std::string_view reducing_operations[] = {"Sum",  "Mean", "Max",    "Min",
                                                    "Prod", "Var",  "Std",    "LogSumExp",
                                                    "Amax", "Amin", "Argmax", "Argmin"};
constexpr std::string_view comparing_operations[] = {
    "NotEqual",  "Equal",   "Any",          "All",  "LogicalNot", "LogicalAnd",
    "LogicalOr", "Greater", "GreaterEqual", "Less", "LessEqual",  "Isnan"};
constexpr std::string_view moving_operations[] = {
    "Reshape", "Transpose", "Matmul", "Einsum", "Dot",  "Tensordot", "GetItem", "Flip", "Roll",
    "Take",    "Flatten",   "Cumsum", "Repeat", "Tile", "Pad",       "Split",   "Sort"};

template <std::size_t n>
bool is_among(const std::string& name, const std::string_view (&names)[n]) {
  return std::ranges::find(names, name) != std::end(names);
}

std::vector<std::int64_t> config_axes(const Json& config, const char* key, int rank) {
  std::vector<std::int64_t> axes;
  const Json* found = config_at(config, key);
  if (found && found->is_array()) {
    for (const auto& one : *found) axes.push_back(whole_number(one).value_or(0));
  } else if (found) {
    axes.push_back(whole_number(*found).value_or(0));
  }
  for (auto& axis : axes) {
    if (axis < 0) axis += rank;
  }
  return axes;
}

KerasTraits operation_traits(const KerasLayer& layer, int rank) {
  KerasTraits traits{KerasRole::drops, KerasSteps::each, "", true};
  if (is_among(layer.class_name, comparing_operations)) traits.role = KerasRole::compares;
  if (is_among(layer.class_name, reducing_operations)) {
    const auto axes = config_axes(layer.config, "axis", rank);
    if (axes.empty() || std::ranges::find(axes, 1) != axes.end()) {
      traits.steps = KerasSteps::ends;
      traits.reads_padding = "the sum or mean counts padding";
    }
  }
  if (is_among(layer.class_name, moving_operations)) {
    traits.steps = KerasSteps::positions;
    traits.reads_padding = "it takes steps by their positions, padding or not";
  }
  const bool softmax = layer.class_name == "Softmax" || layer.class_name == "LogSoftmax";
  if (softmax && config_axes(layer.config, "axis", rank) == std::vector<std::int64_t>{1} &&
      rank > 2) {
    traits.steps = KerasSteps::reads;
    traits.reads_padding = "weighs padding like steps";
  }
  return traits;
}

// Whether a shape keeps the axis of steps where it is.
bool keeps_steps(const KerasLayer& layer, std::int64_t steps) {
  if (layer.class_name == "Permute") {
    const Json* dims = config_at(layer.config, "dims");
    return dims && dims->is_array() && !dims->empty() && whole_number((*dims)[0]) == 1;
  }
  const Json* shape = config_at(layer.config, "target_shape");
  if (!shape || !shape->is_array() || shape->size() < 2) return false;
  const auto first = whole_number((*shape)[0]);
  return first && steps != any && *first == steps;
}

}  // namespace

bool is_recurrent(const KerasLayer& layer) {
  constexpr std::string_view names[] = {"SimpleRNN",  "GRU",          "LSTM",       "CuDNNGRU",
                                        "CuDNNLSTM",  "RNN",          "ConvLSTM1D", "ConvLSTM2D",
                                        "ConvLSTM3D", "Bidirectional"};
  return !layer.operation && is_among(layer.class_name, names);
}

bool is_attention(const KerasLayer& layer) {
  constexpr std::string_view names[] = {"MultiHeadAttention", "GroupedQueryAttention", "Attention",
                                        "AdditiveAttention"};
  return !layer.operation && is_among(layer.class_name, names);
}

bool returns_sequences(const KerasLayer& layer) {
  const bool wraps = layer.class_name == "Bidirectional" && !layer.inner.empty();
  return config_flag(wraps ? layer.inner[0].config : layer.config, "return_sequences");
}

bool is_layer_alone(std::string_view class_name) {
  constexpr std::string_view both[] = {"Add",     "Subtract",    "Multiply", "Average", "Maximum",
                                       "Minimum", "Concatenate", "Softmax",  "Reshape", "Dot"};
  return std::ranges::find(rows_of_layers, class_name, &RuleRow::class_name) !=
             std::end(rows_of_layers) &&
         std::ranges::find(both, class_name) == std::end(both);
}

bool is_custom(const KerasLayer& layer) {
  return !layer.operation && !layer.model &&
         std::ranges::find(rows_of_layers, layer.class_name, &RuleRow::class_name) ==
             std::end(rows_of_layers) &&
         !makes_ids(layer);
}

KerasTraits keras_traits(const KerasLayer& layer, int rank, std::int64_t steps, KerasTold told) {
  if (layer.operation) return operation_traits(layer, rank);
  const auto row = std::ranges::find(rows_of_layers, layer.class_name, &RuleRow::class_name);
  KerasTraits traits;
  if (row != std::end(rows_of_layers)) {
    traits = {row->role, row->steps, std::string(row->why), layer.class_name == "Dot"};
  }
  if (told.told) {
    traits.role = KerasRole::drops;
    traits.steps = told.steps;
    traits.reads_padding = told.steps == KerasSteps::each ? "" : "custom: it reads padding as data";
  }
  const auto& name = layer.class_name;
  if (name == "Embedding" && config_flag(layer.config, "mask_zero")) traits.role = KerasRole::makes;
  if (name == "Lambda") traits.silent = true;
  if (name == "Softmax" && rank > 2 &&
      config_axes(layer.config, "axis", rank) == std::vector<std::int64_t>{1}) {
    traits.steps = KerasSteps::reads;
    traits.reads_padding = "weighs padding like steps";
  }
  const bool recurrent = is_recurrent(layer);
  if (recurrent && !returns_sequences(layer)) traits.steps = KerasSteps::ends;
  const bool reshapes = name == "Reshape" || name == "Permute";
  if (reshapes && keeps_steps(layer, steps))
    traits.steps = KerasSteps::each, traits.reads_padding = "";
  return traits;
}

namespace {

std::int64_t windowed_steps(const KerasLayer& layer, std::int64_t steps) {
  if (steps == any) return any;
  const auto& c = layer.config;
  const bool pools = layer.class_name.find("Pooling") != std::string::npos;
  const auto size = config_whole(c, pools ? "pool_size" : "kernel_size").value_or(pools ? 2 : 1);
  const auto stride =
      std::max<std::int64_t>(1, config_whole(c, "strides").value_or(pools ? size : 1));
  const auto span = (size - 1) * config_whole(c, "dilation_rate").value_or(1) + 1;
  const auto padding = config_text(c, "padding", "valid");
  if (padding == "valid") return steps < span ? 0 : (steps - span) / stride + 1;
  return (steps + stride - 1) / stride;
}

}  // namespace

KerasShape keras_shape(const KerasLayer& layer, const std::vector<KerasShape>& inputs, int result) {
  KerasShape x = inputs.empty() ? KerasShape{} : inputs[0];
  const auto& name = layer.class_name;
  if (name == "Embedding") return {x.rank == 0 ? 0 : x.rank + 1, x.steps};
  if (is_recurrent(layer)) {
    return result == 0 && returns_sequences(layer) ? x : KerasShape{2, any};
  }
  if (name.starts_with("Global")) return {config_flag(layer.config, "keepdims") ? 3 : 2, any};
  if (name == "Flatten") return {2, any};
  if (name == "RepeatVector") return {3, config_whole(layer.config, "n").value_or(any)};
  if (name == "Reshape") {
    const Json* shape = config_at(layer.config, "target_shape");
    if (!shape || !shape->is_array() || shape->empty()) return {};
    const auto first = whole_number((*shape)[0]).value_or(-1);
    return {static_cast<int>(shape->size()) + 1, first > 0 ? first : any};
  }
  if (name.starts_with("Conv1D") || name.ends_with("Conv1D") || name.ends_with("Pooling1D")) {
    return {x.rank, windowed_steps(layer, x.steps)};
  }
  if (keras_traits(layer, x.rank, x.steps).steps == KerasSteps::ends) return {2, any};
  if (name == "Permute" || name == "Cropping1D" || name == "ZeroPadding1D" ||
      name == "UpSampling1D") {
    return {x.rank, any};
  }
  for (const auto& other : inputs) {
    if (other.rank > x.rank) x = other;
  }
  return x;
}

}  // namespace maskgrad::detail
