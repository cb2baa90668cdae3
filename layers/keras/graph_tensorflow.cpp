#include <maskgrad/layers/keras/graph.hpp>

#include <algorithm>
#include <utility>

namespace maskgrad::detail {
namespace {

// By what is behind the last dot, as in `math.reduce_sum` and `__operators__.add`.
constexpr std::pair<std::string_view, std::string_view> tensorflow_functions[] = {
    {"reduce_sum", "Sum"},
    {"reduce_mean", "Mean"},
    {"reduce_max", "Max"},
    {"reduce_min", "Min"},
    {"reduce_prod", "Prod"},
    {"reduce_any", "Any"},
    {"reduce_all", "All"},
    {"add", "Add"},
    {"multiply", "Multiply"},
    {"mul", "Multiply"},
    {"subtract", "Subtract"},
    {"sub", "Subtract"},
    {"truediv", "Divide"},
    {"divide", "Divide"},
    {"maximum", "Maximum"},
    {"minimum", "Minimum"},
    {"pow", "Power"},
    {"expand_dims", "ExpandDims"},
    {"squeeze", "Squeeze"},
    {"concat", "Concatenate"},
    {"softmax", "Softmax"},
    {"softmax_v2", "Softmax"},
    {"tanh", "Tanh"},
    {"sigmoid", "Sigmoid"},
    {"relu", "Relu"},
    {"exp", "Exp"},
    {"log", "Log"},
    {"sqrt", "Sqrt"},
    {"square", "Square"},
    {"abs", "Abs"},
    {"negative", "Negative"},
    {"not_equal", "NotEqual"},
    {"ne", "NotEqual"},
    {"equal", "Equal"},
    {"eq", "Equal"},
    {"greater", "Greater"},
    {"less", "Less"},
    {"logical_not", "LogicalNot"},
    {"logical_and", "LogicalAnd"},
    {"cast", "Cast"},
    {"getitem", "GetItem"},
    {"transpose", "Transpose"},
    {"matmul", "Matmul"},
    {"identity", "Copy"},
    {"stop_gradient", "StopGradient"},
    {"reshape", "Reshape"},
    {"reverse", "Flip"},
    {"stack", "Stack"},
    {"clip_by_value", "Clip"},
    {"reduce_std", "Std"},
    {"reduce_variance", "Var"},
    {"reduce_logsumexp", "LogSumExp"},
    {"zeros_like", "ZerosLike"},
    {"zeros_like_v2", "ZerosLike"},
    {"ones_like", "OnesLike"},
    {"ones_like_v2", "OnesLike"},
    {"greater_equal", "GreaterEqual"},
    {"less_equal", "LessEqual"},
    {"logical_or", "LogicalOr"},
    {"is_nan", "Isnan"},
    {"floor", "Floor"},
    {"round", "Round"},
    {"sign", "Sign"},
    {"sin", "Sin"},
    {"cos", "Cos"},
    {"log1p", "Log1p"},
    {"rsqrt", "Rsqrt"},
    {"reciprocal", "Reciprocal"},
    {"relu6", "Relu6"},
    {"elu", "Elu"},
    {"selu", "Selu"},
    {"silu", "Silu"},
    {"swish", "Silu"},
    {"gelu", "Gelu"},
    {"leaky_relu", "LeakyRelu"},
    {"softplus", "Softplus"},
    {"softsign", "Softsign"},
    {"log_sigmoid", "LogSigmoid"},
};

}  // namespace

void take_tensorflow_operation(KerasLayer& layer) {
  const auto& kind = layer.class_name;
  if (kind != "TFOpLambda" && kind != "SlicingOpLambda" && kind != "ClassMethod") return;
  const std::string function =
      config_text(layer.config, "function", config_text(layer.config, "symbol"));
  const std::string last = function.substr(function.rfind('.') + 1);
  const auto found = std::ranges::find(tensorflow_functions, last,
                                       &std::pair<std::string_view, std::string_view>::first);
  layer.shown_class = kind;
  layer.operation = true;
  layer.class_name =
      found == std::end(tensorflow_functions) ? function : std::string(found->second);
}

}  // namespace maskgrad::detail
