#pragma once

#include <cstdint>

#include <maskgrad/core/seed.hpp>

namespace maskgrad::kernels {

/// What is added to the score of a pair before the softmax, by the steps where its rows stand. A
/// stride of 0 is an axis of size 1.
template <class T>
struct AttentionBias {
  const T* data = nullptr;                                        ///< null: none
  std::int64_t batch = 0, head = 0, query = 0, key = 0;           ///< strides
  const std::int64_t *query_step = nullptr, *key_step = nullptr;  ///< [query rows], [key rows]
};

/// Which weights are dropped: by sequence, head and ranks among valid steps, never by place.
struct AttentionNoise {
  double rate = 0;
  const extend::NoiseSource* sources = nullptr;  ///< [batch], where the rate is above 0
};

/// softmax(scale q k^T + bias) v for each sequence and head, by rows: a row holds the values of all
/// heads side by side. Query head h reads key head h / (heads / kv_heads).
template <class T>
struct AttentionProblem {
  std::int64_t batch = 0, heads = 1, kv_heads = 1, dim = 1, dim_v = 1;
  T scale = 1;
  /// [batch] the first row and the number of rows of each sequence.
  const std::int64_t *query_first = nullptr, *query_count = nullptr;
  const std::int64_t *key_first = nullptr, *key_count = nullptr;
  /// [query rows] the keys that a query sees: ranks from <= r < to in its sequence, neither falling
  /// from row to row. Null: all.
  const std::int64_t *from = nullptr, *to = nullptr;
  const T *q = nullptr, *k = nullptr, *v = nullptr;
  AttentionBias<T> bias = {};
  AttentionNoise noise = {};
};

/// Writes y [query rows, heads, dim_v], zeros where a query sees no key, and log_sum
/// [query rows, heads], the log of the softmax's sum, by which backward makes the weights again.
/// Needs memory for one block of queries by keys a thread, whatever the lengths.
template <class T>
void attention_forward(const AttentionProblem<T>& p, T* y, T* log_sum);

/// Gradients, each added to what stands there; null where not wanted.
template <class T>
struct AttentionBackward {
  const T *y = nullptr, *log_sum = nullptr, *dy = nullptr;
  T *dq = nullptr, *dk = nullptr, *dv = nullptr, *dbias = nullptr;
};
template <class T>
void attention_backward(const AttentionProblem<T>& p, const AttentionBackward<T>& g);

}  // namespace maskgrad::kernels
