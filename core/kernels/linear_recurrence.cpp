#include <maskgrad/core/kernels/linear_recurrence.hpp>

#include <algorithm>
#include <utility>

#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/sequence_cut.hpp>
#include <maskgrad/core/kernels/simd/recurrence_rows.hpp>

namespace maskgrad::kernels {
namespace {

/// A block's state must stay in the nearest cache, and be read from memory in whole pieces.
constexpr std::int64_t widest = 1024, narrowest = 64;

/// f(sequence, from, to) for all sequences and the values of their rows.
template <class T, class F>
void over_blocks(const LinearRecurrence<T>& p, F&& f) {
  const SequenceCut cut({p.sequences, p.rows, p.width, p.first, p.length}, narrowest, widest,
                        elementwise_grain);
  cut.each_shard([&](std::int64_t group, std::int64_t, std::int64_t from, std::int64_t to) {
    cut.each_sequence(group, [&](std::int64_t s) { f(s, from, to); });
  });
}

/// Row k of a sequence in the order in which it runs.
template <class T>
std::int64_t row_of(const LinearRecurrence<T>& p, std::int64_t sequence, std::int64_t k) {
  return p.first[sequence] + (p.reverse ? p.length[sequence] - 1 - k : k);
}

template <class T>
const T* place(const T* x, std::int64_t line, std::int64_t width, std::int64_t from) {
  return x ? x + line * width + from : nullptr;
}
template <class T>
T* place(T* x, std::int64_t line, std::int64_t width, std::int64_t from) {
  return x ? x + line * width + from : nullptr;
}

/// One sequence, values [from, to) of its rows.
template <class T>
void run_forward(const LinearRecurrence<T>& p, std::int64_t s, std::int64_t from, std::int64_t to,
                 T* h, T* last) {
  const auto& rows = simd::recurrence_rows<T>();
  const auto w = p.width, n = to - from;
  const T* before = place(p.h0, s, w, from);
  for (std::int64_t k = 0; k < p.length[s]; ++k) {
    const auto r = row_of(p, s, k);
    T* now = place(h, r, w, from);
    rows.forward(place(p.a, r, w, from), place(p.b, r, w, from), before, now, n);
    before = now;
  }
  if (!last) return;
  if (before) {
    std::copy_n(before, n, place(last, s, w, from));
  } else {
    std::fill_n(place(last, s, w, from), n, T(0));
  }
}

template <class T>
void run_backward(const LinearRecurrence<T>& p, const LinearRecurrenceGradient<T>& g,
                  std::int64_t s, std::int64_t from, std::int64_t to) {
  const auto& rows = simd::recurrence_rows<T>();
  const auto w = p.width, n = to - from;
  T lines[2][widest];
  T *behind = lines[0], *carry = lines[1];
  if (g.dlast) {
    std::copy_n(place(g.dlast, s, w, from), n, behind);
  } else {
    std::fill_n(behind, n, T(0));
  }
  for (std::int64_t k = p.length[s] - 1; k >= 0; --k) {
    const auto r = row_of(p, s, k);
    const T* before = k > 0 ? place(g.h, row_of(p, s, k - 1), w, from) : place(p.h0, s, w, from);
    rows.backward({place(p.a, r, w, from), before, place(g.dh, r, w, from), place(g.da, r, w, from),
                   place(g.db, r, w, from)},
                  behind, carry, n);
    std::swap(behind, carry);
  }
  if (g.dh0) std::copy_n(behind, n, place(g.dh0, s, w, from));
}

}  // namespace

template <class T>
void linear_recurrence(const LinearRecurrence<T>& problem, T* h, T* last) {
  over_blocks(problem, [&](std::int64_t s, std::int64_t from, std::int64_t to) {
    run_forward(problem, s, from, to, h, last);
  });
}

template <class T>
void linear_recurrence_backward(const LinearRecurrence<T>& problem,
                                const LinearRecurrenceGradient<T>& gradient) {
  over_blocks(problem, [&](std::int64_t s, std::int64_t from, std::int64_t to) {
    run_backward(problem, gradient, s, from, to);
  });
}

template void linear_recurrence(const LinearRecurrence<float>&, float*, float*);
template void linear_recurrence(const LinearRecurrence<double>&, double*, double*);
template void linear_recurrence_backward(const LinearRecurrence<float>&,
                                         const LinearRecurrenceGradient<float>&);
template void linear_recurrence_backward(const LinearRecurrence<double>&,
                                         const LinearRecurrenceGradient<double>&);

}  // namespace maskgrad::kernels
