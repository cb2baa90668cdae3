#pragma once

#include <maskgrad/core/kernels/recurrent/layout.hpp>
#include <maskgrad/core/kernels/recurrent/second.hpp>

namespace maskgrad::kernels::recurrent {

/// How values change along the direction, for all rows: kept by the pass forward for that back.
template <class T>
struct Moved {
  T* gates = nullptr;  ///< in chunks, as RecurrentForward::saved has the gates
  T* h = nullptr;      ///< behind each step, [rows, padded], in the shards' order
  T* c = nullptr;      ///< the same, LSTM
};

/// One shard's own memory beside Workspace. There, of backward, rows come in pairs, a value and
/// behind it how it changes: `gates` has [panels][chunk][2][vectors * lanes], `carry`, `c` and
/// `reset` have [sequences][2][padded], `reset_rows` has [chunk][2][padded].
template <class T>
struct SecondWorkspace {
  T* h0 = nullptr;  ///< how the initial states change, [sequences, padded]
  T* c0 = nullptr;
};

/// All that recurrent_second reads. The forward's results are there.
template <class T>
struct SecondScan {
  const RecurrentProblem<T>* problem = nullptr;
  const RecurrentBackward<T>* backward = nullptr;  ///< its gradients are not written
  const RecurrentDirection<T>* direction = nullptr;
  const RecurrentChange<T>* change = nullptr;
  Sizes sizes;
  Packed<T> packed;            ///< both ways
  Packed<T> direction_packed;  ///< the direction's weights; what does not move is not there
  Moved<T> moved;
};

/// The compiled code of one level: both passes over a shard.
template <class L, class T>
struct SecondScans {
  static void run(const SecondScan<T>& scan, const Shard& shard, const Workspace<T>& work,
                  const SecondWorkspace<T>& second);
};

}  // namespace maskgrad::kernels::recurrent
