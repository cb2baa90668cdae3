#pragma once

#include <algorithm>
#include <vector>

#include <maskgrad/core/kernels/gemm.hpp>
#include <maskgrad/core/kernels/recurrent/second.hpp>
#include <maskgrad/core/kernels/recurrent/second_rows.hpp>
#include <maskgrad/core/pooled.hpp>

/// What recurrent_second is made of: a part of the batch, its sequences sorted by length, longest
/// first, so that those that still run at a step are the first ones.
namespace maskgrad::kernels {

/// Arrays of values and of their changes, [rows, width].
template <class T>
struct Pairs {
  extend::Pooled<T> v, d;
  std::int64_t width = 0;

  Pairs() = default;
  Pairs(std::int64_t rows, std::int64_t width_)
      : v(rows * width_), d(rows * width_), width(width_) {}
  void clear() {
    std::fill(v.begin(), v.end(), T(0));
    std::fill(d.begin(), d.end(), T(0));
  }
  recurrent::Row<T> at(std::int64_t i) { return {v.data() + i, d.data() + i}; }
  recurrent::ConstRow<T> at(std::int64_t i) const { return {v.data() + i, d.data() + i}; }
};

template <class T>
class SecondShard {
 public:
  SecondShard(const RecurrentProblem<T>& p, const RecurrentDirection<T>& u, std::int64_t from,
              std::int64_t end);

  void forward();
  void backward(const T* dout, const T* dh_final, const T* dc_final);
  void results(const RecurrentChange<T>& change) const;
  /// What the weights' gradients change by, of this shard.
  void weights(T* dkernel, T* drecurrent, T* dbias) const;

 private:
  std::int64_t row(std::int64_t s, std::int64_t t) const {
    const auto id = order_[static_cast<std::size_t>(s)], n = p_.length[id];
    return p_.first[id] + (p_.reverse ? n - 1 - t : t);
  }
  std::int64_t length(std::int64_t s) const {
    return p_.length[order_[static_cast<std::size_t>(s)]];
  }
  std::int64_t alive(std::int64_t t) const {
    return start_[static_cast<std::size_t>(t + 1)] - start_[static_cast<std::size_t>(t)];
  }
  std::int64_t begin(std::int64_t t) const { return start_[static_cast<std::size_t>(t)]; }
  bool after() const { return p_.cell == Cell::gru && p_.reset_after; }
  bool before() const { return p_.cell == Cell::gru && !p_.reset_after; }

  void gather_inputs();
  /// product_ [2, n, columns] = the n rows of `a`, [n, units], times the recurrent kernel's columns
  /// from `from` on: values, and behind them their changes.
  void multiply(recurrent::ConstRow<T> a, std::int64_t n, std::int64_t from, std::int64_t columns);
  recurrent::Row<T> product(std::int64_t r, std::int64_t n, std::int64_t columns) {
    return {product_.data() + r * columns, product_.data() + (n + r) * columns};
  }
  /// to [n, units] += stacked_ [2, n, columns] times the columns' rows.
  void multiply_back(std::int64_t n, std::int64_t from, std::int64_t columns, Pairs<T>& to,
                     std::int64_t at);
  recurrent::Row<T> stacked(std::int64_t r, std::int64_t n, std::int64_t columns) {
    return {stacked_.data() + r * columns, stacked_.data() + (n + r) * columns};
  }
  /// The activated gates of rows [at, at + n), from columns [from, from + count).
  void activate(std::int64_t at, std::int64_t n, std::int64_t from, std::int64_t count, bool tanh);
  void step_forward(std::int64_t t);
  void simple_forward(std::int64_t at, std::int64_t n);
  void gru_forward(std::int64_t at, std::int64_t n);
  void lstm_forward(std::int64_t at, std::int64_t n);
  void step_backward(std::int64_t t, const T* dout);
  void gru_backward(std::int64_t at, std::int64_t n);

  const RecurrentProblem<T>& p_;
  const RecurrentDirection<T>& u_;
  std::int64_t units_, gates_;
  std::vector<std::int64_t> order_, start_;  ///< sequences, longest first; rows before each step
  std::int64_t rows_ = 0;
  Pairs<T> x_, a_;          ///< the input; sums, then gates [rows, gates]
  Pairs<T> h_, c_, q_;      ///< before each step; of a GRU what r multiplies
  Pairs<T> now_h_, now_c_;  ///< [sequences, units] as the steps go on
  Pairs<T> out_, tanh_c_;   ///< h behind each step
  Pairs<T> da_, dq_;        ///< gradients of the sums, and of what r multiplies
  Pairs<T> dh_, dc_;        ///< carried back, [sequences, units]
  extend::Pooled<T> product_, stacked_;
  const recurrent::SecondRows<T>& rows_of_ = recurrent::second_rows<T>();
};

}  // namespace maskgrad::kernels
