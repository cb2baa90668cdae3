#include <array>

#include <maskgrad/core/named_table.hpp>
#include <maskgrad/layers/losses/loss_factory.hpp>
#include <maskgrad/layers/losses/losses.hpp>

namespace maskgrad {
namespace {

template <class Options>
using Function = Loss (*)(const Tensor&, const Tensor&, const Options&);

template <class Options, Function<Options> f>
LossFunction with_options(extend::OptionReader& reader) {
  const auto options = extend::read_options<Options>(reader);
  return LossFunction::Call(
      [options](const Tensor& target, const Tensor& prediction, const Tensor& sample_weight) {
        auto weighted = options;
        weighted.sample_weight = sample_weight;
        return f(target, prediction, weighted);
      });
}

/// Keras's option axis, for losses over features.
template <class Options, Function<Options> f>
LossFunction with_axis(extend::OptionReader& reader) {
  std::int64_t axis = -1;
  reader("axis", axis);
  if (axis != -1) reader.refuse("axis", "-1: features and classes stand last");
  return with_options<Options, f>(reader);
}

struct Row {
  std::string_view name, function;
  LossFunction (*make)(extend::OptionReader&);
};

constexpr std::array table = {
    Row{"MeanSquaredError", "mean_squared_error", with_options<LossOptions, mean_squared_error>},
    Row{"MeanAbsoluteError", "mean_absolute_error", with_options<LossOptions, mean_absolute_error>},
    Row{"MeanAbsolutePercentageError", "mean_absolute_percentage_error",
        with_options<LossOptions, mean_absolute_percentage_error>},
    Row{"MeanSquaredLogarithmicError", "mean_squared_logarithmic_error",
        with_options<LossOptions, mean_squared_logarithmic_error>},
    Row{"Huber", "huber", with_options<HuberOptions, huber>},
    Row{"LogCosh", "log_cosh", with_options<LossOptions, log_cosh>},
    Row{"CosineSimilarity", "cosine_similarity", with_axis<LossOptions, cosine_similarity>},
    Row{"BinaryCrossentropy", "binary_crossentropy",
        with_axis<CrossentropyOptions, binary_crossentropy>},
    Row{"BinaryFocalCrossentropy", "binary_focal_crossentropy",
        with_axis<BinaryFocalOptions, binary_focal_crossentropy>},
    Row{"CategoricalCrossentropy", "categorical_crossentropy",
        with_axis<CrossentropyOptions, categorical_crossentropy>},
    Row{"CategoricalFocalCrossentropy", "categorical_focal_crossentropy",
        with_axis<CategoricalFocalOptions, categorical_focal_crossentropy>},
    Row{"SparseCategoricalCrossentropy", "sparse_categorical_crossentropy",
        with_axis<SparseCrossentropyOptions, sparse_categorical_crossentropy>},
    Row{"KLDivergence", "kl_divergence", with_options<LossOptions, kl_divergence>},
    Row{"Poisson", "poisson", with_options<LossOptions, poisson>},
    Row{"Hinge", "hinge", with_options<LossOptions, hinge>},
    Row{"SquaredHinge", "squared_hinge", with_options<LossOptions, squared_hinge>},
    Row{"CategoricalHinge", "categorical_hinge", with_options<LossOptions, categorical_hinge>},
    Row{"CTC", "ctc", with_options<CTCOptions, ctc>},
};

constexpr auto class_names = names_of(table);

}  // namespace

void LossFunction::refuse_weights() {
  fail<OptionError>("LossFunction",
                    "it takes no sample weights, and the batch has some; give the function a third "
                    "argument, const Tensor& sample_weight, and put it into the loss's options");
}

std::span<const std::string_view> loss_names() {
  return class_names;
}

LossFunction make_loss_function(std::string_view name, std::string_view options) {
  extend::OptionReader reader(name, options);
  const bool lower = !name.empty() && name[0] >= 'a' && name[0] <= 'z';
  std::array<std::string_view, table.size()> names;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (name == table[i].name || name == table[i].function) return table[i].make(reader);
    names[i] = lower ? table[i].function : table[i].name;
  }
  fail<OptionError>("make_loss_function", "there is no loss '{}'; {}", name,
                    nearest_hint(name, names));
}

}  // namespace maskgrad
