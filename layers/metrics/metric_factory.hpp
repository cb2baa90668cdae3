#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <maskgrad/layers/metrics/metric.hpp>

namespace maskgrad {

/// A metric of targets and predictions from its name, as Keras spells it, and a JSON object of its
/// options. "accuracy" is the one that the shapes ask for (see Accuracy).
/// Throws:   OptionError, with the nearest, for an unknown name or option; as the metric.
/// Example:  mg::make_metric("TopKCategoricalAccuracy", R"({"k": 3})")
std::unique_ptr<Metric> make_metric(std::string_view name, std::string_view options = "{}");
/// The names of all. (Mean, which has no target, is not one of them, nor is "accuracy".)
std::span<const std::string_view> metric_names();

/// A metric as JSON, {"class_name": ..., "config": {...}} with all options: what it is, not what it
/// has counted.
std::string describe(const extend::MetricSums& metric);
/// The metric that `describe` described. Throws: as make_metric.
/// Example:  mg::metric_from(mg::describe(mg::TopKCategoricalAccuracy{{.k = 3}}));
std::unique_ptr<Metric> metric_from(std::string_view json);

}  // namespace maskgrad
