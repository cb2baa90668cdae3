#pragma once

namespace maskgrad::bench {

/// GFLOP/s of a 2048 x 2048 x 2048 product on so many threads, the best of some; measured once.
double sgemm_peak(int threads);
/// GB/s that a[i] = b[i] + s c[i] moves on so many threads, each array 128 MiB, read and written
/// bytes counted once each; the best of some, measured once.
/// Source: McCalpin, STREAM (triad).
double memory_peak(int threads);

}  // namespace maskgrad::bench
