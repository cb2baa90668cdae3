#include <maskgrad/optim/factory.hpp>

#include <array>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/optim/adam.hpp>
#include <maskgrad/optim/sgd.hpp>

namespace maskgrad {
namespace {

using Made = std::unique_ptr<Optimizer>;

template <class O, class Options>
Made make(std::vector<Parameter> parameters, OptionReader& reader) {
  return std::make_unique<O>(std::move(parameters), read_options<Options>(reader));
}

struct Row {
  std::string_view name;
  Made (*make)(std::vector<Parameter>, OptionReader&);
};

constexpr std::array table = {
    Row{"SGD", make<SGD, SGDOptions>},
    Row{"Adam", make<Adam, AdamOptions>},
};

}  // namespace

Made make_optimizer(std::string_view name, std::vector<Parameter> parameters,
                    std::string_view options) {
  OptionReader reader(name, options);
  std::array<std::string_view, table.size()> names;
  for (std::size_t i = 0; i < table.size(); ++i) {
    names[i] = table[i].name;
    if (name == table[i].name) return table[i].make(std::move(parameters), reader);
  }
  fail<OptionError>("make_optimizer", "there is no optimizer '{}'; {}", name,
                    nearest_hint(name, names));
}

}  // namespace maskgrad
