#pragma once

namespace maskgrad::kernels {

/// Stands around calls of OpenBLAS in one thread. It takes a work buffer of 128 MB for each thread
/// that is inside, and asks for ever where the system gives none: so this waits for another thread
/// to leave, or throws MemoryError where there is not a single one. Must not be nested.
class BlasCall {
 public:
  BlasCall();
  ~BlasCall();
  BlasCall(const BlasCall&) = delete;
  BlasCall& operator=(const BlasCall&) = delete;
};

}  // namespace maskgrad::kernels
