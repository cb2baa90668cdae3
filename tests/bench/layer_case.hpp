#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/maskgrad.hpp>

#include "bench/valid.hpp"

namespace maskgrad::bench {

/// A layer of the registry as it is measured, over [batch, time, features].
struct LayerCase {
  std::string_view kind, options = "{}";
  std::int64_t batch = 32, time = 512, features = 256;
  int inputs = 1;
  std::string_view left_out = {};  ///< why it is not measured
  std::int64_t columns = 0;        ///< of the features as a matrix; 0: they are a vector
  std::string size() const;
};

/// A row for each layer of the library that takes a mask.
const std::vector<LayerCase>& layer_cases();
/// StateError, naming it, for a registered layer that takes a mask and has no row.
void check_complete();

/// Its inputs, with their gradients wanted.
Tensors inputs_of(const LayerCase& c, const Valid& valid);
/// The layer, built for them.
AnyLayer layer_of(const LayerCase& c);

}  // namespace maskgrad::bench
