#pragma once

#include <string_view>
#include <type_traits>

#include <maskgrad/core/error.hpp>

namespace maskgrad::detail {

/// OptionError where `f` is a std::function or a pointer that holds no function: where it is given,
/// and not where it is called.
template <class F>
void require_function(std::string_view where, const F& f) {
  if constexpr (std::is_pointer_v<F> || requires { f.target_type(); }) {
    if (!f) fail<OptionError>(where, "the function is null; give one that can be called");
  }
}

}  // namespace maskgrad::detail
