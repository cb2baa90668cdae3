#include <maskgrad/core/kernels/recurrent/second_shard.hpp>

namespace maskgrad::kernels {

template <class T>
void SecondShard<T>::multiply_back(std::int64_t n, std::int64_t from, std::int64_t columns,
                                   Pairs<T>& to, std::int64_t at) {
  const auto u = units_;
  gemm<T>(2 * n, u, columns, {stacked_.data(), columns}, {p_.recurrent_kernel + from, gates_, true},
          product_.data(), false);
  if (u_.recurrent_kernel) {
    gemm<T>(n, u, columns, {stacked_.data(), columns}, {u_.recurrent_kernel + from, gates_, true},
            product_.data() + n * u, true);
  }
  for (std::int64_t r = 0; r < n; ++r) rows_of_.add(u, to.at((at + r) * u), product(r, n, u));
}

template <class T>
void SecondShard<T>::gru_backward(std::int64_t at, std::int64_t n) {
  const auto u = units_;
  for (std::int64_t r = 0; r < n; ++r) {
    const auto g = (at + r) * gates_, own = (at + r) * u;
    rows_of_.gru_back(u, dh_.at(r * u), da_.at(g), da_.at(g + 2 * u), a_.at(g), a_.at(g + 2 * u),
                      h_.at(own));
    if (after()) {
      rows_of_.reset_after_back(u, dq_.at(own), da_.at(g + u), da_.at(g + 2 * u), a_.at(g + u),
                                q_.at(own));
    }
  }
  const auto put = [&](std::int64_t r, std::int64_t columns, std::int64_t from,
                       recurrent::ConstRow<T> x, std::int64_t count) {
    const auto to = stacked(r, n, columns);
    std::copy_n(x.v, count, to.v + from);
    std::copy_n(x.d, count, to.d + from);
  };
  if (before()) {
    // The gradient of r h has that of r, and goes to h.
    std::fill_n(dq_.v.data() + at * u, n * u, T(0));
    std::fill_n(dq_.d.data() + at * u, n * u, T(0));
    for (std::int64_t r = 0; r < n; ++r) put(r, u, 0, da_.at((at + r) * gates_ + 2 * u), u);
    multiply_back(n, 2 * u, u, dq_, at);
    for (std::int64_t r = 0; r < n; ++r) {
      const auto g = (at + r) * gates_ + u, own = (at + r) * u;
      rows_of_.reset_before_back(u, dh_.at(r * u), da_.at(g), dq_.at(own), a_.at(g), h_.at(own));
    }
  }
  // The first two gates side by side; with reset_after the third through what r multiplies.
  const auto columns = after() ? 3 * u : 2 * u;
  for (std::int64_t r = 0; r < n; ++r) {
    put(r, columns, 0, da_.at((at + r) * gates_), 2 * u);
    if (after()) put(r, columns, 2 * u, dq_.at((at + r) * u), u);
  }
  multiply_back(n, 0, columns, dh_, 0);
}

template <class T>
void SecondShard<T>::step_backward(std::int64_t t, const T* dout) {
  const auto n = alive(t), at = begin(t), u = units_;
  for (std::int64_t s = 0; dout && s < n; ++s) {
    const T* d = dout + row(s, t) * u;
    for (std::int64_t i = 0; i < u; ++i) dh_.v[s * u + i] += d[i];
  }
  if (p_.cell == Cell::gru) return gru_backward(at, n);
  for (std::int64_t r = 0; r < n; ++r) {
    const auto g = (at + r) * gates_, own = (at + r) * u;
    if (p_.cell == Cell::simple_rnn) {
      rows_of_.simple_back(u, dh_.at(r * u), da_.at(g), a_.at(g));
    } else {
      rows_of_.lstm_back(u, dh_.at(r * u), dc_.at(r * u), da_.at(g), a_.at(g), c_.at(own),
                         tanh_c_.at(own));
    }
  }
  std::copy_n(da_.v.data() + at * gates_, n * gates_, stacked_.data());
  std::copy_n(da_.d.data() + at * gates_, n * gates_, stacked_.data() + n * gates_);
  multiply_back(n, 0, gates_, dh_, 0);
}

template <class T>
void SecondShard<T>::backward(const T* dout, const T* dh_final, const T* dc_final) {
  const auto begin_state = [&](Pairs<T>& state, const T* v) {
    state.clear();
    for (std::size_t s = 0; v && s < order_.size(); ++s) {
      std::copy_n(v + order_[s] * units_, units_,
                  state.v.data() + static_cast<std::int64_t>(s) * units_);
    }
  };
  begin_state(dh_, dh_final);
  if (p_.cell == Cell::lstm) begin_state(dc_, dc_final);
  for (auto t = static_cast<std::int64_t>(start_.size()) - 2; t >= 0; --t) step_backward(t, dout);
}

template void SecondShard<float>::backward(const float*, const float*, const float*);
template void SecondShard<double>::backward(const double*, const double*, const double*);

}  // namespace maskgrad::kernels
