#pragma once

#include <string_view>
#include <vector>

#include <maskgrad/layers/any_layer.hpp>

namespace maskgrad::detail {

/// Names by position (`gru`, `gru_1`) for the layers that were given none. OptionError, from
/// `where`, where two were given the same.
void name_layers(std::string_view where, std::vector<AnyLayer>& layers);
/// The contract of layers one after the other: under each kind of mask that of the first that
/// makes, ends or refuses it, else of the last that reads it.
MaskContract contract_of_all(const std::vector<AnyLayer>& layers);

}  // namespace maskgrad::detail
