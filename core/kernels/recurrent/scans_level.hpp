#pragma once

#include <maskgrad/core/kernels/recurrent/scan_backward.hpp>
#include <maskgrad/core/kernels/recurrent/scan_forward.hpp>

namespace maskgrad::kernels::recurrent {

template <class L, class T>
void Scans<L, T>::forward(const Scan<T>& scan, const Shard& shard, const Workspace<T>& work) {
  switch (scan.sizes.form) {
    case Form::simple:
      return ForwardScan<L, T, Form::simple>(scan, shard, work).run();
    case Form::gru_after:
      return ForwardScan<L, T, Form::gru_after>(scan, shard, work).run();
    case Form::gru_before:
      return ForwardScan<L, T, Form::gru_before>(scan, shard, work).run();
    case Form::lstm:
      return ForwardScan<L, T, Form::lstm>(scan, shard, work).run();
  }
}

template <class L, class T>
void Scans<L, T>::backward(const Scan<T>& scan, const Shard& shard, const Workspace<T>& work,
                           const Workspace<T>* again) {
  switch (scan.sizes.form) {
    case Form::simple:
      return BackwardScan<L, T, Form::simple>(scan, shard, work, again).run();
    case Form::gru_after:
      return BackwardScan<L, T, Form::gru_after>(scan, shard, work, again).run();
    case Form::gru_before:
      return BackwardScan<L, T, Form::gru_before>(scan, shard, work, again).run();
    case Form::lstm:
      return BackwardScan<L, T, Form::lstm>(scan, shard, work, again).run();
  }
}

}  // namespace maskgrad::kernels::recurrent
