#pragma once

#include <maskgrad/core/kernels/recurrent/second_backward.hpp>
#include <maskgrad/core/kernels/recurrent/second_forward.hpp>

namespace maskgrad::kernels::recurrent {

template <class L, class T, Form form>
void second_passes(const SecondScan<T>& scan, const Shard& shard, const Workspace<T>& work,
                   const SecondWorkspace<T>& second) {
  SecondForward<L, T, form>(scan, shard, work, second).run();
  SecondBackward<L, T, form>(scan, shard, work, second).run();
}

template <class L, class T>
void SecondScans<L, T>::run(const SecondScan<T>& scan, const Shard& shard, const Workspace<T>& work,
                            const SecondWorkspace<T>& second) {
  switch (scan.sizes.form) {
    case Form::simple:
      return second_passes<L, T, Form::simple>(scan, shard, work, second);
    case Form::gru_after:
      return second_passes<L, T, Form::gru_after>(scan, shard, work, second);
    case Form::gru_before:
      return second_passes<L, T, Form::gru_before>(scan, shard, work, second);
    case Form::lstm:
      return second_passes<L, T, Form::lstm>(scan, shard, work, second);
  }
}

}  // namespace maskgrad::kernels::recurrent
