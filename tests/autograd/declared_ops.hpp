#pragma once

#include <set>
#include <string>

namespace maskgrad::tests {

/// The operations: the functions of autograd/ops that users call.
std::set<std::string> declared_ops();

}  // namespace maskgrad::tests
