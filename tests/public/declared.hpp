#pragma once

#include <set>
#include <string>

namespace maskgrad::tests {

/// The functions that the public headers declare directly in namespace maskgrad.
std::set<std::string> declared_functions();

}  // namespace maskgrad::tests
