#include <maskgrad/autograd/distinct.hpp>

#include <fmt/format.h>

#include <unordered_map>

namespace maskgrad::detail {

std::vector<Parameter> distinct(std::vector<Parameter> parameters) {
  FirstTime first;
  std::erase_if(parameters, [&first](const Parameter& p) { return !first(p); });
  return parameters;
}

std::vector<std::string> numbered(std::vector<std::string> names,
                                  const std::vector<std::string>& taken) {
  std::unordered_set<std::string> all(names.begin(), names.end());
  std::unordered_set<std::string> used(taken.begin(), taken.end());
  all.insert(taken.begin(), taken.end());
  std::unordered_map<std::string, std::int64_t> last;
  for (auto& name : names) {
    if (used.insert(name).second) continue;
    std::string other;
    do {
      other = fmt::format("{}_{}", name, ++last[name]);
    } while (!all.insert(other).second);
    name = std::move(other);
  }
  return names;
}

std::vector<std::string> distinct_names(const std::vector<Parameter>& parameters,
                                        const std::vector<std::string>& taken) {
  std::vector<std::string> names;
  for (const auto& p : parameters) names.push_back(p.name());
  return numbered(std::move(names), taken);
}

}  // namespace maskgrad::detail
