#include <maskgrad/core/kernels/recurrent/second_shard.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

namespace maskgrad::kernels {

template <class T>
void SecondShard<T>::gather_inputs() {
  const auto width = p_.features;
  for (std::int64_t t = 0; t + 1 < static_cast<std::int64_t>(start_.size()); ++t) {
    for (std::int64_t s = 0; s < alive(t); ++s) {
      const auto at = (begin(t) + s) * width, from = row(s, t) * width;
      std::copy_n(p_.x + from, width, x_.v.data() + at);
      if (u_.x) {
        std::copy_n(u_.x + from, width, x_.d.data() + at);
      } else {
        std::fill_n(x_.d.data() + at, width, T(0));
      }
    }
  }
  Pairs<T> bias(1, gates_);
  bias.clear();
  const auto add_bias = [&](const T* from, T* to) {
    // A GRU's second bias goes to the sums, but for what r multiplies.
    for (std::int64_t k = 0; from && k < gates_; ++k) {
      to[k] = from[k] + (after() && k < 2 * units_ ? from[gates_ + k] : T(0));
    }
  };
  add_bias(p_.bias, bias.v.data());
  add_bias(u_.bias, bias.d.data());
  for (std::int64_t r = 0; r < rows_; ++r) {
    std::copy_n(bias.v.data(), gates_, a_.v.data() + r * gates_);
    std::copy_n(bias.d.data(), gates_, a_.d.data() + r * gates_);
  }
  const Matrix<T> w{p_.kernel, gates_}, dw{u_.kernel, gates_};
  gemm<T>(rows_, gates_, width, {x_.v.data(), width}, w, a_.v.data(), true);
  gemm<T>(rows_, gates_, width, {x_.d.data(), width}, w, a_.d.data(), true);
  if (u_.kernel) gemm<T>(rows_, gates_, width, {x_.v.data(), width}, dw, a_.d.data(), true);
  const auto begin_state = [&](Pairs<T>& state, const T* v, const T* d) {
    state.clear();
    for (std::size_t s = 0; s < order_.size(); ++s) {
      const auto at = static_cast<std::int64_t>(s) * units_, from = order_[s] * units_;
      if (v) std::copy_n(v + from, units_, state.v.data() + at);
      if (d) std::copy_n(d + from, units_, state.d.data() + at);
    }
  };
  begin_state(now_h_, p_.h0, u_.h0);
  if (p_.cell == Cell::lstm) begin_state(now_c_, p_.c0, u_.c0);
}

template <class T>
void SecondShard<T>::multiply(recurrent::ConstRow<T> a, std::int64_t n, std::int64_t from,
                              std::int64_t columns) {
  const auto u = units_;
  std::copy_n(a.v, n * u, stacked_.data());
  std::copy_n(a.d, n * u, stacked_.data() + n * u);
  gemm<T>(2 * n, columns, u, {stacked_.data(), u}, {p_.recurrent_kernel + from, gates_},
          product_.data(), false);
  if (!u_.recurrent_kernel) return;
  gemm<T>(n, columns, u, {stacked_.data(), u}, {u_.recurrent_kernel + from, gates_},
          product_.data() + n * columns, true);
}

template <class T>
void SecondShard<T>::activate(std::int64_t at, std::int64_t n, std::int64_t from,
                              std::int64_t count, bool tanh) {
  for (std::int64_t r = at; r < at + n; ++r) {
    const auto x = a_.at(r * gates_ + from);
    tanh ? simd::tanh(x.v, x.v, count) : simd::sigmoid(x.v, x.v, count);
    (tanh ? rows_of_.after_tanh : rows_of_.after_sigmoid)(count, x);
  }
}

template <class T>
void SecondShard<T>::simple_forward(std::int64_t at, std::int64_t n) {
  const auto u = units_;
  multiply(now_h_.at(0), n, 0, u);
  for (std::int64_t r = 0; r < n; ++r) rows_of_.add(u, a_.at((at + r) * u), product(r, n, u));
  activate(at, n, 0, u, true);
  std::copy_n(a_.v.data() + at * u, n * u, now_h_.v.data());
  std::copy_n(a_.d.data() + at * u, n * u, now_h_.d.data());
}

template <class T>
void SecondShard<T>::gru_forward(std::int64_t at, std::int64_t n) {
  const auto u = units_, columns = before() ? 2 * u : gates_;
  multiply(now_h_.at(0), n, 0, columns);
  for (std::int64_t r = 0; r < n; ++r) {
    rows_of_.add(2 * u, a_.at((at + r) * gates_), product(r, n, columns));
  }
  activate(at, n, 0, 2 * u, false);
  for (std::int64_t r = 0; r < n; ++r) {
    const auto reset = a_.at((at + r) * gates_ + u), q = q_.at((at + r) * u);
    if (before()) {
      rows_of_.multiply(u, q, reset, now_h_.at(r * u));
      continue;
    }
    const auto own = product(r, n, columns);
    for (std::int64_t i = 0; i < u; ++i) {
      q.v[i] = own.v[2 * u + i] + (p_.bias ? p_.bias[gates_ + 2 * u + i] : T(0));
      q.d[i] = own.d[2 * u + i] + (u_.bias ? u_.bias[gates_ + 2 * u + i] : T(0));
    }
    rows_of_.add_product(u, a_.at((at + r) * gates_ + 2 * u), reset, q);
  }
  if (before()) {
    multiply(q_.at(at * u), n, 2 * u, u);
    for (std::int64_t r = 0; r < n; ++r) {
      rows_of_.add(u, a_.at((at + r) * gates_ + 2 * u), product(r, n, u));
    }
  }
  activate(at, n, 2 * u, u, true);
  for (std::int64_t r = 0; r < n; ++r) {
    const auto g = (at + r) * gates_;
    rows_of_.gru(u, now_h_.at(r * u), a_.at(g), a_.at(g + 2 * u));
  }
}

template <class T>
void SecondShard<T>::lstm_forward(std::int64_t at, std::int64_t n) {
  const auto u = units_;
  std::copy_n(now_c_.v.data(), n * u, c_.v.data() + at * u);
  std::copy_n(now_c_.d.data(), n * u, c_.d.data() + at * u);
  multiply(now_h_.at(0), n, 0, gates_);
  for (std::int64_t r = 0; r < n; ++r) {
    rows_of_.add(gates_, a_.at((at + r) * gates_), product(r, n, gates_));
  }
  activate(at, n, 0, 2 * u, false);
  activate(at, n, 2 * u, u, true);
  activate(at, n, 3 * u, u, false);
  for (std::int64_t r = 0; r < n; ++r) {
    const auto g = (at + r) * gates_;
    const auto c = now_c_.at(r * u), y = tanh_c_.at((at + r) * u);
    rows_of_.lstm(u, c, a_.at(g + u), a_.at(g), a_.at(g + 2 * u));
    simd::tanh(c.v, y.v, u);
    std::copy_n(c.d, u, y.d);
    rows_of_.after_tanh(u, y);
    rows_of_.multiply(u, now_h_.at(r * u), a_.at(g + 3 * u), y);
  }
}

template <class T>
void SecondShard<T>::step_forward(std::int64_t t) {
  const auto n = alive(t), at = begin(t), u = units_;
  std::copy_n(now_h_.v.data(), n * u, h_.v.data() + at * u);
  std::copy_n(now_h_.d.data(), n * u, h_.d.data() + at * u);
  if (p_.cell == Cell::simple_rnn) simple_forward(at, n);
  if (p_.cell == Cell::gru) gru_forward(at, n);
  if (p_.cell == Cell::lstm) lstm_forward(at, n);
  std::copy_n(now_h_.v.data(), n * u, out_.v.data() + at * u);
  std::copy_n(now_h_.d.data(), n * u, out_.d.data() + at * u);
}

template <class T>
void SecondShard<T>::forward() {
  gather_inputs();
  for (std::int64_t t = 0; t + 1 < static_cast<std::int64_t>(start_.size()); ++t) step_forward(t);
}

template void SecondShard<float>::forward();
template void SecondShard<double>::forward();

}  // namespace maskgrad::kernels
