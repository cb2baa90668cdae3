#pragma once

#include <string_view>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad::check {

/// f32 or f64; TypeError otherwise.
void real(std::string_view op, const Tensor& x);
/// f32, f64 or i64; TypeError otherwise.
void numeric(std::string_view op, const Tensor& x);
/// The same element type; TypeError otherwise, with both.
void same_dtype(std::string_view op, const Tensor& a, const Tensor& b);
/// i64 (ids, indices); TypeError otherwise.
void ids(std::string_view op, const Tensor& x);
/// Exactly `rank` axes; `layout` says which, as `[batch, time, features]`.
void rank(std::string_view op, const Tensor& x, int rank, std::string_view layout);
/// `axis` counted from the front, checked to be an inner axis: MaskError with `way_out` where the
/// mask covers it.
int inner_axis(std::string_view op, const Tensor& x, int axis, std::string_view way_out);
/// No mask at all: MaskError with the reason and the ways out.
void no_mask(std::string_view op, const Tensor& x, std::string_view why, std::string_view way_out);
/// No mask behind that of the steps, [batch, time]: MaskError for one over more, as over `what`.
void whole_steps(std::string_view op, const Tensor& x, std::string_view what);

}  // namespace maskgrad::check
