#pragma once

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <typeinfo>

#include <maskgrad/core/error.hpp>

namespace maskgrad::tests {

/// Whether calling `f` throws an E whose text has every one of `parts`; what happened is logged.
template <class E, class F, class... Parts>
bool throws(F&& f, const Parts&... parts) {
  try {
    f();
  } catch (const E& e) {
    const std::string text = e.what();
    bool all = true;
    for (const std::string& part : std::initializer_list<std::string>{std::string(parts)...}) {
      const bool there = text.find(part) != std::string::npos;
      CHECK_MESSAGE(there, "\"", part, "\" is not in: ", text);
      all = all && there;
    }
    return all;
  } catch (const std::exception& e) {
    FAIL_CHECK("threw another type, ", typeid(e).name(), ": ", e.what());
    return false;
  }
  FAIL_CHECK("nothing was thrown");
  return false;
}

}  // namespace maskgrad::tests
