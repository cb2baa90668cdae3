#include <array>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/factory.hpp>
#include <maskgrad/layers/losses/losses.hpp>

namespace maskgrad {
namespace {

template <class Options>
using Function = Loss (*)(const Tensor&, const Tensor&, const Options&);

template <class Options, Function<Options> f>
LossFunction with_options(OptionReader& reader) {
  const auto options = read_options<Options>(reader);
  return [options](const Tensor& target, const Tensor& prediction) {
    return f(target, prediction, options);
  };
}

/// Keras's option from_logits, for losses that take nothing else.
template <class Options, Function<Options> f>
LossFunction of_logits(OptionReader& reader) {
  bool from_logits = true;
  reader("from_logits", from_logits);
  if (!from_logits) {
    reader.refuse("from_logits", "true: give it the logits, without a softmax or sigmoid before");
  }
  return with_options<Options, f>(reader);
}

struct Row {
  std::string_view name, function;
  LossFunction (*make)(OptionReader&);
};

constexpr std::array table = {
    Row{"MeanSquaredError", "mean_squared_error", with_options<LossOptions, mean_squared_error>},
    Row{"SparseCategoricalCrossentropy", "sparse_categorical_crossentropy",
        of_logits<LossOptions, sparse_categorical_crossentropy>},
};

}  // namespace

LossFunction loss_function(std::string_view name, std::string_view options) {
  OptionReader reader(name, options);
  const bool lower = !name.empty() && name[0] >= 'a' && name[0] <= 'z';
  std::array<std::string_view, table.size()> names;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (name == table[i].name || name == table[i].function) return table[i].make(reader);
    names[i] = lower ? table[i].function : table[i].name;
  }
  fail<OptionError>("loss_function", "there is no loss '{}'; {}", name, nearest_hint(name, names));
}

}  // namespace maskgrad
