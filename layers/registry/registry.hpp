#pragma once

#include <vector>

#include <maskgrad/layers/registry/mask_support.hpp>

namespace maskgrad {

/// The library's own layers, each named in one line of registry.cpp: the one list of them.
std::vector<RegisteredLayer> builtin_layers();

}  // namespace maskgrad
