#pragma once

#include <cstdint>

namespace maskgrad::kernels {

enum class Cell { simple_rnn, gru, lstm };

constexpr std::int64_t gates_of(Cell cell) {
  return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1;
}

/// One direction of one recurrent layer on a batch of rows; padding does not exist here.
/// Sequence s has the rows first[s] ... first[s] + length[s] - 1, in order (a length may be 0); the
/// sequences' rows are disjoint and cover all `rows`. Gates are tanh and sigmoid, in this order:
///   SimpleRNN  1             h' = tanh(x W + h R + b)
///   GRU        3 (z, r, h)   h' = z h + (1 - z) tanh(x W_h + r (h R_h + b_rh))  with reset_after
///                            h' = z h + (1 - z) tanh(x W_h + (r h) R_h)         without
///   LSTM       4 (i, f, c, o)  c' = f c + i tanh(c~), h' = o tanh(c')
/// Shapes:   x [rows, features], kernel [features, gates * units], recurrent_kernel
///           [units, gates * units], bias [gates * units], or [2, 3 * units] (input, recurrent) for
///           a GRU with reset_after; null: none. h0, c0 (of an LSTM) [batch, units]; null: zeros.
/// Source:   Keras 3 (layers, gate orders, weight layouts).
template <class T>
struct RecurrentProblem {
  Cell cell = Cell::gru;
  bool reverse = false;     ///< a sequence's rows run last to first
  bool reset_after = true;  ///< GRU
  bool training = false;    ///< forward keeps what backward reads, in RecurrentForward::saved
  bool recompute = false;   ///< it keeps states alone; backward makes the rest again, in chunks
  std::int64_t batch = 0;
  std::int64_t rows = 0;
  std::int64_t features = 0;
  std::int64_t units = 0;
  const std::int64_t* first = nullptr;
  const std::int64_t* length = nullptr;
  const T* x = nullptr;
  const T* kernel = nullptr;
  const T* recurrent_kernel = nullptr;
  const T* bias = nullptr;
  const T* packed = nullptr;  ///< forward: the weights as recurrent_pack put them, read instead
  const T* h0 = nullptr;
  const T* c0 = nullptr;
};

/// What forward writes. Null is not written; but `out` and `saved` are needed in training. (`out`
/// not by a backward that makes it again.)
template <class T>
struct RecurrentForward {
  T* out = nullptr;    ///< [rows, units]; a step's output stands at its own row, with reverse too
  T* h = nullptr;      ///< [batch, units], final state; an empty sequence's is its initial state
  T* c = nullptr;      ///< [batch, units], LSTM
  T* saved = nullptr;  ///< recurrent_saved_size elements
};

/// What backward reads and writes. The gradients are written, not added to; null is not wanted.
template <class T>
struct RecurrentBackward {
  const T* out = nullptr;       ///< as forward wrote it
  const T* saved = nullptr;     ///< as forward wrote it
  const T* dout = nullptr;      ///< [rows, units]; null: zeros
  const T* dh_final = nullptr;  ///< [batch, units]; null: zeros
  const T* dc_final = nullptr;  ///< [batch, units]; null: zeros
  T* dx = nullptr;
  T* dkernel = nullptr;
  T* drecurrent_kernel = nullptr;
  T* dbias = nullptr;
  T* dh0 = nullptr;
  T* dc0 = nullptr;
};

/// Elements of T that training keeps from forward to backward; 0 where `out` is enough. Depends on
/// sizes and lengths alone, as do the next two.
template <class T>
std::int64_t recurrent_saved_size(const RecurrentProblem<T>& problem);

/// Bytes of scratch memory for a call; its contents need not survive the call.
template <class T>
std::int64_t recurrent_forward_scratch(const RecurrentProblem<T>& problem);
template <class T>
std::int64_t recurrent_backward_scratch(const RecurrentProblem<T>& problem);

/// Elements of the weights as forward reads them; they depend on units and features alone.
template <class T>
std::int64_t recurrent_packed_size(const RecurrentProblem<T>& problem);
/// Puts the weights there, aligned to 64 bytes: for calls of so few rows that it is most of them.
template <class T>
void recurrent_pack(const RecurrentProblem<T>& problem, T* to);

/// Runs the layer. Scratch and saved are best aligned to 64 bytes. Nothing is allocated; results
/// are the same for any number of threads.
template <class T>
void recurrent_forward(const RecurrentProblem<T>& problem, const RecurrentForward<T>& result,
                       void* scratch);

/// The gradients of a forward that ran with `training`; `problem` is the same as there.
template <class T>
void recurrent_backward(const RecurrentProblem<T>& problem, const RecurrentBackward<T>& gradient,
                        void* scratch);

}  // namespace maskgrad::kernels
