#pragma once

#include <string>

#include <maskgrad/layers/model/flow.hpp>

namespace maskgrad::report {

/// The calls of a model's layers one below the other, in the colors of their roles; a line is
/// thick where a mask flows, and passes calls by on the left. Below it all calls as a table.
std::string draw(const Flow& flow);

}  // namespace maskgrad::report
