#include <maskgrad/optim/train/versions.hpp>

#include <cblas.h>

#include <maskgrad/core/io/json.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>
#include <maskgrad/core/threads.hpp>
#include <maskgrad/core/version.hpp>

namespace maskgrad::detail {

std::string versions() {
#if defined(__clang__)
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  // It writes the text anew at each call, and so one thread over another's.
  static const std::string openblas = openblas_get_config();
  const detail::SortedJson all{{"maskgrad", version()},
                               {"compiler", compiler},
                               {"openblas", openblas},
                               {"simd", kernels::simd::level_name(kernels::simd::level())},
                               {"threads", num_threads()}};
  return detail::json_text(all);
}

}  // namespace maskgrad::detail
