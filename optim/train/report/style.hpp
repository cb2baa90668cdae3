#pragma once

#include <string_view>

namespace maskgrad::report {

/// The page's style sheet: light and dark by what the reader prefers, light on paper.
std::string_view style();

}  // namespace maskgrad::report
