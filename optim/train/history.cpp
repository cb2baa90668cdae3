#include <maskgrad/optim/train/history.hpp>

namespace maskgrad {

std::vector<double> History::values(std::string_view name) const {
  std::vector<double> all;
  for (const auto& record : epochs) all.push_back(record.logs.at("History", name));
  return all;
}

double History::last(std::string_view name) const {
  if (epochs.empty()) {
    fail<StateError>("History", "it has no epoch, so no last '{}'; train one or more", name);
  }
  return epochs.back().logs.at("History", name);
}

}  // namespace maskgrad
