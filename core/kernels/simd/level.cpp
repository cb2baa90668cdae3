#include <maskgrad/core/kernels/simd/level.hpp>

#include <cstdlib>
#include <string>
#include <string_view>

#include <maskgrad/core/error.hpp>

namespace maskgrad::kernels::simd {
namespace {

constexpr Level all_levels[] = {Level::generic, Level::avx2, Level::avx512};

bool has(Level level) {
#if defined(__x86_64__)
  switch (level) {
    case Level::generic:
      return true;
    case Level::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Level::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("fma");
  }
#endif
  return level == Level::generic;
}

std::string choices() {
  std::string names;
  for (Level l : all_levels) {
    if (has(l)) names += (names.empty() ? "" : ", ") + std::string(level_name(l));
  }
  return names;
}

Level choose() {
  const char* wanted = std::getenv("MASKGRAD_SIMD");
  if (wanted == nullptr || *wanted == '\0') {
    Level best = Level::generic;
    for (Level l : all_levels) {
      if (has(l)) best = l;
    }
    return best;
  }
  for (Level l : all_levels) {
    if (std::string_view(wanted) != level_name(l)) continue;
    if (has(l)) return l;
    fail<OptionError>("MASKGRAD_SIMD",
                      "is '{}', which this machine does not have; it has: {}; set one of these or "
                      "unset the variable",
                      wanted, choices());
  }
  fail<OptionError>("MASKGRAD_SIMD", "is '{}'; expected one of: {}; set one of these or unset it",
                    wanted, choices());
}

}  // namespace

Level level() {
  static const Level chosen = choose();
  return chosen;
}

const char* level_name(Level level) {
  switch (level) {
    case Level::generic:
      return "generic";
    case Level::avx2:
      return "avx2";
    case Level::avx512:
      return "avx512";
  }
  return "generic";
}

}  // namespace maskgrad::kernels::simd
