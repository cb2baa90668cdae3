#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include <maskgrad/autograd/parameter.hpp>

/// What stands twice in a list. A list of parameters may name one twice, as that of two models that
/// share a layer does; two parameters may have one name, as in two models of the same layers.
namespace maskgrad::detail {

/// What tells a parameter from others: where its values are. StateError where it has none.
inline const void* identity(const Parameter& p) {
  return &p.tensor().impl();
}

/// Tells of each parameter whether it comes for the first time.
class FirstTime {
 public:
  bool operator()(const Parameter& p) { return seen_.insert(identity(p)).second; }

 private:
  std::unordered_set<const void*> seen_;
};

/// Each parameter once, where it comes first. StateError for one that has no values.
std::vector<Parameter> distinct(std::vector<Parameter> parameters);

/// The names, each once: one that is there before gets a number that makes it another,
/// `dense/kernel_1`. `taken`: names that are in use elsewhere.
std::vector<std::string> numbered(std::vector<std::string> names,
                                  const std::vector<std::string>& taken = {});
/// The parameters' names, numbered.
std::vector<std::string> distinct_names(const std::vector<Parameter>& parameters,
                                        const std::vector<std::string>& taken = {});

}  // namespace maskgrad::detail
