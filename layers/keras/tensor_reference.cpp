#include <maskgrad/layers/keras/tensor_reference.hpp>

namespace maskgrad::detail {

std::optional<TensorReference> tensor_reference(const Json& json,
                                                const std::map<std::string, std::size_t>& layers) {
  const Json* list = &json;
  if (json.is_object()) {
    if (config_text(json, "class_name") != "__keras_tensor__") return {};
    const Json* config = config_at(json, "config");
    list = config ? config_at(*config, "keras_history") : nullptr;
    if (!list) return {};
  }
  if (!list->is_array() || list->size() < 3 || list->size() > 4 || !(*list)[0].is_string())
    return {};
  const auto node = whole_number((*list)[1]), result = whole_number((*list)[2]);
  TensorReference made{(*list)[0].get<std::string>(), node.value_or(-1), result.value_or(-1)};
  if (!layers.contains(made.layer) || made.node < 0 || made.result < 0 || made.result > 10'000)
    return {};
  return made;
}

}  // namespace maskgrad::detail
