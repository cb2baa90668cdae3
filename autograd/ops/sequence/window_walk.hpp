#pragma once

#include <string_view>

#include <maskgrad/autograd/ops/sequence/windows.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>

/// Where the windows of sequences lie; for the operations that read them.
namespace maskgrad::window_walk {

void check_call(std::string_view op, const Tensor& x, const WindowOptions& o);

/// Steps that a window spans.
inline std::int64_t span_of(const WindowOptions& o) {
  return (o.width - 1) * o.dilation + 1;
}
/// Windows of a sequence.
std::int64_t count_of(std::int64_t length, const WindowOptions& o);
/// Zeros before a sequence of that length.
std::int64_t zeros_before(std::int64_t length, const WindowOptions& o);
/// The mask of `time` windows a sample.
Mask mask_of(const Tensor& x, std::int64_t time, const WindowOptions& o);

}  // namespace maskgrad::window_walk
