#pragma once

#include <string_view>

namespace maskgrad {

/// The version of the library, as `0.1.0`; it is said in one place, the project's meson.build.
std::string_view version();

}  // namespace maskgrad
