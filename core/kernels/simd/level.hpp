#pragma once

namespace maskgrad::kernels::simd {

/// Instruction sets the kernels are compiled for. On other machines than x86-64 there is only
/// `generic`, which is what the compiler makes of short vectors there.
enum class Level { generic, avx2, avx512 };

/// The level in use: the best this machine has, or what the environment variable MASKGRAD_SIMD
/// names. Fixed for the life of the process.
/// Throws: OptionError if the variable names no level, or one this machine does not have.
Level level();
const char* level_name(Level level);

/// Tags that kernels are templates on: code of one level carries its tag in its name, so that the
/// linker can never take it for another level's. Only <level>.cpp files, which are compiled with
/// that level's flags, instantiate kernels.
struct Generic {
  static constexpr int bytes = 16;
  static constexpr int registers = 16;
};
struct Avx2 {
  static constexpr int bytes = 32;
  static constexpr int registers = 16;
};
struct Avx512 {
  static constexpr int bytes = 64;
  static constexpr int registers = 32;
};

/// `f(tag)` with the tag of the level in use.
template <class F>
decltype(auto) with_level(F&& f) {
#if defined(__x86_64__)
  if (level() == Level::avx512) return f(Avx512{});
  if (level() == Level::avx2) return f(Avx2{});
#endif
  return f(Generic{});
}

}  // namespace maskgrad::kernels::simd
