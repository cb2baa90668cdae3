#pragma once

#include <maskgrad/autograd/ops/sequence/windows.hpp>
#include <maskgrad/layers/onnx/families.hpp>

namespace maskgrad::onnx {

inline std::int64_t span_of(const WindowOptions& o) {
  return (o.width - 1) * o.dilation + 1;
}
inline bool length_stays(const WindowOptions& o) {
  return o.stride == 1 && (o.padding != Padding::valid || o.width == 1);
}

/// i64, as `lengths`: how many windows lie on sequences of these lengths.
std::string window_counts(const Call& call, const std::string& lengths, const WindowOptions& o);

/// The steps of each window of packed steps, wherever the windows begin.
struct Windows {
  std::string values;  ///< [batch, windows, width, features], of steps that may not be there
  std::string there;   ///< bool, [batch or 1, windows, width, 1]
};
Windows windows_of(const Call& call, const Value& x, const WindowOptions& o);

/// Results of windows, one for each window, as the result of the layer, of x before it was packed.
Values results_of_windows(const Call& call, const std::string& y, const Value& packed,
                          const WindowOptions& o);

}  // namespace maskgrad::onnx
