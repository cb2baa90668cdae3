#include <maskgrad/core/kernels/simd/arrays.hpp>

#include <maskgrad/core/kernels/simd/level.hpp>

namespace maskgrad::kernels::simd {

void exp(const float* x, float* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, float>::exp(x, y, n); });
}
void exp(const double* x, double* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, double>::exp(x, y, n); });
}
void tanh(const float* x, float* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, float>::tanh(x, y, n); });
}
void tanh(const double* x, double* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, double>::tanh(x, y, n); });
}
void sigmoid(const float* x, float* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, float>::sigmoid(x, y, n); });
}
void sigmoid(const double* x, double* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, double>::sigmoid(x, y, n); });
}
void expm1(const float* x, float* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, float>::expm1(x, y, n); });
}
void expm1(const double* x, double* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, double>::expm1(x, y, n); });
}
void softplus(const float* x, float* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, float>::softplus(x, y, n); });
}
void softplus(const double* x, double* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, double>::softplus(x, y, n); });
}
void log_cosh(const float* x, float* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, float>::log_cosh(x, y, n); });
}
void log_cosh(const double* x, double* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, double>::log_cosh(x, y, n); });
}
void log(const float* x, float* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, float>::log(x, y, n); });
}
void log(const double* x, double* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, double>::log(x, y, n); });
}
void gelu(const float* x, float* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, float>::gelu(x, y, n); });
}
void gelu(const double* x, double* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, double>::gelu(x, y, n); });
}
void gelu_slope(const float* x, float* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, float>::gelu_slope(x, y, n); });
}
void gelu_slope(const double* x, double* y, std::int64_t n) {
  with_level([&]<class L>(L) { Arrays<L, double>::gelu_slope(x, y, n); });
}

}  // namespace maskgrad::kernels::simd
