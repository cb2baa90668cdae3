#pragma once

#include <string>

namespace maskgrad::detail {

/// What this process computes with, as a JSON object: maskgrad, compiler, openblas, simd, threads.
std::string versions();

}  // namespace maskgrad::detail
