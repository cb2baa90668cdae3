#include <maskgrad/layers/model/layer_list.hpp>

#include <map>
#include <set>

namespace maskgrad::detail {

void name_layers(std::string_view where, std::vector<AnyLayer>& layers) {
  std::set<std::string> taken;
  for (auto& layer : layers) {
    if (!layer.info().named) continue;
    if (!taken.insert(layer.info().name).second) {
      fail<OptionError>(where, "two layers are named '{}'; give each its own .name",
                        layer.info().name);
    }
  }
  std::map<std::string, int> count;
  for (auto& layer : layers) {
    auto& info = layer.info();
    if (info.named) continue;
    const std::string base = info.name;
    std::string name;
    do {
      const int n = count[base]++;
      name = n == 0 ? base : base + "_" + std::to_string(n);
    } while (taken.count(name));
    info.name = info.path = name;
  }
}

MaskContract contract_of_all(const std::vector<AnyLayer>& layers) {
  MaskContract whole{.role = MaskRole::propagates, .why = "each of its layers stays inside a row"};
  for (const auto& layer : layers) {
    const auto contract = layer.contract();
    switch (contract.role) {
      case MaskRole::produces:
      case MaskRole::consumes:
      case MaskRole::unsupported:
        return contract;  // the first that makes, ends or refuses a mask decides
      case MaskRole::supports:
        whole = contract;
        break;
      case MaskRole::propagates:
        break;
    }
  }
  return whole;
}

}  // namespace maskgrad::detail
