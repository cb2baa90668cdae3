#pragma once

#include <cstdint>

#include <maskgrad/core/kernels/recurrent/recurrent.hpp>

namespace maskgrad::kernels::recurrent {

/// The cells as the kernels know them.
enum class Form { simple, gru_after, gru_before, lstm };

/// A row's gates lie in panels: one panel holds, for one vector of units, `vectors` vectors side by
/// side. The input product goes to those from x_first on, the recurrent one to those from h_first
/// on. A GRU with reset_after has [h R_h, z, r, x W_h], so that both products are contiguous.
struct PanelShape {
  int vectors;
  int x_first;
  int x_count;
  int h_first;
  int h_count;
};

template <Form form>
inline constexpr PanelShape panel_shape = form == Form::simple      ? PanelShape{1, 0, 1, 0, 1}
                                          : form == Form::gru_after ? PanelShape{4, 1, 3, 0, 3}
                                          : form == Form::lstm      ? PanelShape{4, 0, 4, 0, 4}
                                                                    : PanelShape{3, 0, 3, 0, 3};

/// Sizes of a problem, in elements unless said.
struct Sizes {
  Form form = Form::simple;
  PanelShape shape{};
  std::int64_t lanes = 0;  ///< of the SIMD level
  std::int64_t block = 0;  ///< rows of a tile of the weight gradients
  std::int64_t units = 0;
  std::int64_t features = 0;
  std::int64_t gates = 0;
  std::int64_t panels = 0;     ///< vectors of units
  std::int64_t padded = 0;     ///< units, in whole vectors
  std::int64_t panel = 0;      ///< a row of a panel: vectors * lanes
  std::int64_t x_vectors = 0;  ///< vectors of features
  std::int64_t live = 0;       ///< sequences with a row
  std::int64_t longest = 0;    ///< rows of the longest
  std::int64_t shards = 0;
  std::int64_t chunk = 0;  ///< rows at most of a chunk of time
};

/// A fixed part of the batch, its sequences sorted by length, longest first. Its rows are counted
/// step by step: step t has rows offset[t] ... offset[t + 1] - 1, one a sequence still running.
struct Shard {
  std::int64_t sequences = 0;
  std::int64_t steps = 0;
  std::int64_t rows = 0;
  std::int64_t first_row = 0;    ///< in the saved memory
  std::int64_t first_state = 0;  ///< the same of states kept at the chunks' beginnings
  std::int64_t chunks = 0;
  std::int64_t* id = nullptr;     ///< place in the batch
  std::int64_t* start = nullptr;  ///< row of the first step
  std::int64_t* length = nullptr;
  std::int64_t* offset = nullptr;      ///< [steps + 1]
  std::int64_t* chunk_step = nullptr;  ///< [chunks + 1]
};

/// Weights in the order in which the products read them.
template <class T>
struct Packed {
  T* kernel = nullptr;                ///< [panels][features][x_count * lanes]
  T* recurrent = nullptr;             ///< [panels][units][h_count * lanes]
  T* bias = nullptr;                  ///< [panels][vectors * lanes]
  T* kernel_transposed = nullptr;     ///< [x_vectors][panels * x_count * lanes][lanes]
  T* recurrent_transposed = nullptr;  ///< [panels][panels * h_count * lanes][lanes]
};

/// One shard's own memory; pointers that a pass does not need are null.
template <class T>
struct Workspace {
  T* gates = nullptr;           ///< [panels][chunk][vectors * lanes]
  T* x = nullptr;               ///< forward [chunk, features], backward in blocks of columns
  T* h = nullptr;               ///< forward [2][sequences, padded], backward in blocks of columns
  T* c = nullptr;               ///< [sequences, padded]; backward: its gradient
  T* reset = nullptr;           ///< r * h, or its gradient: [sequences, padded]
  T* reset_rows = nullptr;      ///< backward: [chunk, padded]
  T* carry = nullptr;           ///< backward: the gradient of h, [sequences, padded]
  T* dx = nullptr;              ///< [chunk, x_vectors * lanes]
  T* dkernel = nullptr;         ///< as Packed::kernel
  T* drecurrent = nullptr;      ///< as Packed::recurrent
  T* dbias = nullptr;           ///< as Packed::bias
  T* zeros = nullptr;           ///< a row of them
  T** targets = nullptr;        ///< forward: rows of the output, [sequences]
  const T** sources = nullptr;  ///< backward: rows of a step's inputs, [2][sequences]
  T* outputs = nullptr;         ///< made again: h behind each step, [chunk, units]
  T* cells = nullptr;           ///< the same of c, [chunk, padded]
};

/// All that the scan over one shard reads.
template <class T>
struct Scan {
  const RecurrentProblem<T>* problem = nullptr;
  const RecurrentForward<T>* forward = nullptr;
  const RecurrentBackward<T>* backward = nullptr;
  Sizes sizes;
  Packed<T> packed;
  // Of backward. What is odd, not finite, is left out of the packed weights.
  bool odd_kernel = false, odd_recurrent = false;
  bool odd = false;  ///< some of all that is read
};

/// The compiled code of one level. `again` is null, or the memory in which backward makes a chunk
/// again.
template <class L, class T>
struct Scans {
  static void forward(const Scan<T>& scan, const Shard& shard, const Workspace<T>& work);
  static void backward(const Scan<T>& scan, const Shard& shard, const Workspace<T>& work,
                       const Workspace<T>* again);
};

}  // namespace maskgrad::kernels::recurrent
