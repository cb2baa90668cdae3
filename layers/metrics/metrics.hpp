#pragma once

/// Every metric.

#include <maskgrad/layers/metrics/accuracy.hpp>
#include <maskgrad/layers/metrics/auc.hpp>
#include <maskgrad/layers/metrics/confusion_matrix.hpp>
#include <maskgrad/layers/metrics/edit_distance.hpp>
#include <maskgrad/layers/metrics/errors.hpp>
#include <maskgrad/layers/metrics/f1_score.hpp>
#include <maskgrad/layers/metrics/mean.hpp>
#include <maskgrad/layers/metrics/metric_factory.hpp>
#include <maskgrad/layers/metrics/perplexity.hpp>
#include <maskgrad/layers/metrics/precision_recall.hpp>
#include <maskgrad/layers/metrics/r2_score.hpp>
