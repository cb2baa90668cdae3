#include <maskgrad/optim/factory.hpp>

#include <maskgrad/core/named_table.hpp>
#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/optim/adadelta.hpp>
#include <maskgrad/optim/adagrad.hpp>
#include <maskgrad/optim/adam.hpp>
#include <maskgrad/optim/adamax.hpp>
#include <maskgrad/optim/lion.hpp>
#include <maskgrad/optim/nadam.hpp>
#include <maskgrad/optim/rmsprop.hpp>
#include <maskgrad/optim/sgd.hpp>

namespace maskgrad {
namespace {

using Made = std::unique_ptr<Optimizer>;

template <class O, class Options>
Made make(std::vector<Parameter> parameters, extend::OptionReader& reader) {
  return std::make_unique<O>(std::move(parameters), extend::read_options<Options>(reader));
}

struct Row {
  std::string_view name;
  Made (*make)(std::vector<Parameter>, extend::OptionReader&);
};

constexpr std::array table = {
    Row{"Adadelta", make<Adadelta, AdadeltaOptions>},
    Row{"Adagrad", make<Adagrad, AdagradOptions>},
    Row{"Adam", make<Adam, AdamOptions>},
    Row{"AdamW", make<AdamW, AdamWOptions>},
    Row{"Adamax", make<Adamax, AdamaxOptions>},
    Row{"Lion", make<Lion, LionOptions>},
    Row{"Nadam", make<Nadam, NadamOptions>},
    Row{"RMSprop", make<RMSprop, RMSpropOptions>},
    Row{"SGD", make<SGD, SGDOptions>},
};

constexpr auto names = names_of(table);

}  // namespace

std::span<const std::string_view> optimizer_names() {
  return names;
}

Made make_optimizer(std::string_view name, std::vector<Parameter> parameters,
                    std::string_view options) {
  const auto lower = [](std::string_view text) {
    std::string made(text);
    for (char& c : made) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return made;
  };
  for (const auto& row : table) {
    if (name == lower(row.name)) name = row.name;
  }
  extend::OptionReader reader(name, options);
  return find_named("make_optimizer", "optimizer", table, name).make(std::move(parameters), reader);
}

std::string describe(const Optimizer& optimizer) {
  extend::OptionWriter writer;
  optimizer.write_options(writer);
  return detail::described(optimizer.kind(), writer);
}

Made optimizer_from(std::string_view json, std::vector<Parameter> parameters) {
  const auto description = detail::description_from("optimizer_from", json);
  return make_optimizer(description.class_name, std::move(parameters), description.config.text);
}

}  // namespace maskgrad
