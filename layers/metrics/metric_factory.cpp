#include <maskgrad/layers/metrics/metric_factory.hpp>

#include <maskgrad/core/named_table.hpp>
#include <maskgrad/layers/layer/description.hpp>
#include <maskgrad/layers/metrics/metrics.hpp>

namespace maskgrad {
namespace {

using Made = std::unique_ptr<Metric>;

template <class M>
Made plain(extend::OptionReader& reader) {
  reader.finish();
  return std::make_unique<M>();
}
template <class M, class Options>
Made with(extend::OptionReader& reader) {
  return std::make_unique<M>(extend::read_options<Options>(reader));
}

struct Row {
  std::string_view name;
  Made (*make)(extend::OptionReader&);
};

constexpr std::array table = {
    Row{"BinaryAccuracy", with<BinaryAccuracy, BinaryAccuracyOptions>},
    Row{"CategoricalAccuracy", plain<CategoricalAccuracy>},
    Row{"SparseCategoricalAccuracy", plain<SparseCategoricalAccuracy>},
    Row{"TopKCategoricalAccuracy", with<TopKCategoricalAccuracy, TopKOptions>},
    Row{"SparseTopKCategoricalAccuracy", with<SparseTopKCategoricalAccuracy, TopKOptions>},
    Row{"Precision", with<Precision, PrecisionOptions>},
    Row{"Recall", with<Recall, RecallOptions>},
    Row{"F1Score", with<F1Score, F1ScoreOptions>},
    Row{"AUC", with<AUC, AUCOptions>},
    Row{"ConfusionMatrix", with<ConfusionMatrix, ConfusionMatrixOptions>},
    Row{"MeanAbsoluteError", plain<MeanAbsoluteError>},
    Row{"MeanSquaredError", plain<MeanSquaredError>},
    Row{"RootMeanSquaredError", plain<RootMeanSquaredError>},
    Row{"R2Score", with<R2Score, R2ScoreOptions>},
    Row{"Perplexity", with<Perplexity, PerplexityOptions>},
    Row{"EditDistance", with<EditDistance, EditDistanceOptions>},
};

constexpr auto names = names_of(table);

}  // namespace

std::span<const std::string_view> metric_names() {
  return names;
}

Made make_metric(std::string_view name, std::string_view options) {
  extend::OptionReader reader(name, options);
  if (name == "accuracy") return plain<Accuracy>(reader);
  return find_named("make_metric", "metric", table, name).make(reader);
}

std::string describe(const extend::MetricSums& metric) {
  extend::OptionWriter writer;
  metric.write_options(writer);
  return detail::described(metric.kind(), writer);
}

Made metric_from(std::string_view json) {
  const auto description = detail::description_from("metric_from", json);
  return make_metric(description.class_name, description.config.text);
}

}  // namespace maskgrad
