#include <maskgrad/core/kernels/gemm.hpp>

#include <cblas.h>

#include <algorithm>
#include <limits>

#include <maskgrad/core/error.hpp>
#include <maskgrad/core/kernels/blas.hpp>
#include <maskgrad/core/threads.hpp>

namespace maskgrad::kernels {
namespace {

void blas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::int64_t m, std::int64_t n, std::int64_t k,
          const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
          std::int64_t ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, static_cast<blasint>(m), static_cast<blasint>(n),
              static_cast<blasint>(k), 1, a, static_cast<blasint>(lda), b,
              static_cast<blasint>(ldb), beta, c, static_cast<blasint>(ldc));
}

void blas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::int64_t m, std::int64_t n, std::int64_t k,
          const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta,
          double* c, std::int64_t ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, static_cast<blasint>(m), static_cast<blasint>(n),
              static_cast<blasint>(k), 1, a, static_cast<blasint>(lda), b,
              static_cast<blasint>(ldb), beta, c, static_cast<blasint>(ldc));
}

/// c [n] = a [k] b + beta c: one row, for which OpenBLAS would pack b first.
void blas_row(CBLAS_TRANSPOSE tb, std::int64_t n, std::int64_t k, const float* a, std::int64_t step,
              const float* b, std::int64_t ldb, float beta, float* c) {
  const bool by_columns = tb == CblasTrans;
  cblas_sgemv(CblasRowMajor, by_columns ? CblasNoTrans : CblasTrans,
              static_cast<blasint>(by_columns ? n : k), static_cast<blasint>(by_columns ? k : n), 1,
              b, static_cast<blasint>(ldb), a, static_cast<blasint>(step), beta, c, 1);
}
void blas_row(CBLAS_TRANSPOSE tb, std::int64_t n, std::int64_t k, const double* a,
              std::int64_t step, const double* b, std::int64_t ldb, double beta, double* c) {
  const bool by_columns = tb == CblasTrans;
  cblas_dgemv(CblasRowMajor, by_columns ? CblasNoTrans : CblasTrans,
              static_cast<blasint>(by_columns ? n : k), static_cast<blasint>(by_columns ? k : n), 1,
              b, static_cast<blasint>(ldb), a, static_cast<blasint>(step), beta, c, 1);
}

}  // namespace

template <class T>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, Matrix<T> a, Matrix<T> b, T* c,
          bool add) {
  if (m == 0 || n == 0) return;
  constexpr std::int64_t most = std::numeric_limits<blasint>::max();
  if (std::max({m, n, k, a.stride, b.stride}) > most) {
    fail<ShapeError>("matmul", "a product of [{}, {}] and [{}, {}]; OpenBLAS takes sizes up to {}",
                     m, k, k, n, most + 0);
  }
  if (k == 0) {
    if (!add) std::fill_n(c, m * n, T(0));
    return;
  }
  // Parts are runs of rows or of columns of c, whichever is longer, of a million flops or more.
  const bool by_rows = m >= n;
  const auto along = by_rows ? m : n;
  const auto least =
      std::max<std::int64_t>(32, 1'000'000 / std::max<std::int64_t>(1, m * n / along * k));
  const auto shards = std::min<std::int64_t>(extend::shard_count(along, least), 16);
  const auto ta = a.transposed ? CblasTrans : CblasNoTrans;
  const auto tb = b.transposed ? CblasTrans : CblasNoTrans;
  extend::parallel_for(shards, [&](std::int64_t s) {
    const auto from = extend::shard_begin(along, shards, s),
               to = extend::shard_begin(along, shards, s + 1);
    const auto* pa = by_rows ? a.data + from * (a.transposed ? 1 : a.stride) : a.data;
    const auto* pb = by_rows ? b.data : b.data + from * (b.transposed ? b.stride : 1);
    const BlasCall call;
    if (m == 1) {
      blas_row(tb, to - from, k, pa, a.transposed ? a.stride : 1, pb, b.stride, add ? T(1) : T(0),
               c + from);
      return;
    }
    blas(ta, tb, by_rows ? to - from : m, by_rows ? n : to - from, k, pa, a.stride, pb, b.stride,
         add ? T(1) : T(0), c + (by_rows ? from * n : from), n);
  });
}

template void gemm<float>(std::int64_t, std::int64_t, std::int64_t, Matrix<float>, Matrix<float>,
                          float*, bool);
template void gemm<double>(std::int64_t, std::int64_t, std::int64_t, Matrix<double>, Matrix<double>,
                           double*, bool);

}  // namespace maskgrad::kernels
