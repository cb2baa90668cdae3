#pragma once

#include <string>

#include <maskgrad/optim/data/description.hpp>

namespace maskgrad::report {

/// How long the sequences are, and the padding that their batches would have carried.
std::string data_box(std::string_view heading, const DataDescription& data);

}  // namespace maskgrad::report
