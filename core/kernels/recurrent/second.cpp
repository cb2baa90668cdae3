#include <maskgrad/core/kernels/recurrent/second.hpp>

#include <numeric>

#include <maskgrad/core/kernels/recurrent/second_shard.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>
#include <maskgrad/core/threads.hpp>

namespace maskgrad::kernels {

namespace recurrent {

template <class T>
const SecondRows<T>& second_rows() {
  return simd::with_level(
      []<class L>(L) -> const SecondRows<T>& { return SecondRowsOf<L, T>::table(); });
}
template const SecondRows<float>& second_rows<float>();
template const SecondRows<double>& second_rows<double>();

}  // namespace recurrent

using extend::parallel_for;
using extend::Pooled;
using extend::shard_begin;
using extend::shard_count;

template <class T>
SecondShard<T>::SecondShard(const RecurrentProblem<T>& p, const RecurrentDirection<T>& u,
                            std::int64_t from, std::int64_t end)
    : p_(p), u_(u), units_(p.units), gates_(gates_of(p.cell) * p.units) {
  order_.resize(static_cast<std::size_t>(end - from));
  std::iota(order_.begin(), order_.end(), from);
  std::stable_sort(order_.begin(), order_.end(),
                   [&](auto a, auto b) { return p.length[a] > p.length[b]; });
  start_.push_back(0);
  auto running = static_cast<std::int64_t>(order_.size());
  for (std::int64_t t = 0;; ++t) {
    while (running > 0 && length(running - 1) <= t) --running;
    if (running == 0) break;
    start_.push_back(start_.back() + running);
  }
  rows_ = start_.back();
  const auto sequences = static_cast<std::int64_t>(order_.size());
  x_ = {rows_, p.features};
  a_ = {rows_, gates_};
  da_ = {rows_, gates_};
  for (auto* all : {&h_, &out_}) *all = {rows_, units_};
  for (auto* all : {&now_h_, &dh_}) *all = {sequences, units_};
  if (p.cell == Cell::gru) {
    q_ = {rows_, units_};
    dq_ = {rows_, units_};
  }
  if (p.cell == Cell::lstm) {
    for (auto* all : {&c_, &tanh_c_}) *all = {rows_, units_};
    for (auto* all : {&now_c_, &dc_}) *all = {sequences, units_};
  }
  product_ = Pooled<T>(2 * sequences * gates_);
  stacked_ = Pooled<T>(2 * sequences * gates_);
}

template <class T>
void SecondShard<T>::results(const RecurrentChange<T>& change) const {
  const auto u = units_, width = p_.features;
  for (std::size_t s = 0; s < order_.size(); ++s) {
    const auto from = static_cast<std::int64_t>(s) * u, to = order_[s] * u;
    if (change.h) std::copy_n(now_h_.d.data() + from, u, change.h + to);
    if (change.c) std::copy_n(now_c_.d.data() + from, u, change.c + to);
    if (change.dh0) std::copy_n(dh_.d.data() + from, u, change.dh0 + to);
    if (change.dc0) std::copy_n(dc_.d.data() + from, u, change.dc0 + to);
  }
  Pooled<T> dx(change.dx ? rows_ * width : 0);
  if (change.dx) {
    gemm<T>(rows_, width, gates_, {da_.d.data(), gates_}, {p_.kernel, gates_, true}, dx.data(),
            false);
    if (u_.kernel) {
      gemm<T>(rows_, width, gates_, {da_.v.data(), gates_}, {u_.kernel, gates_, true}, dx.data(),
              true);
    }
  }
  for (std::int64_t t = 0; t + 1 < static_cast<std::int64_t>(start_.size()); ++t) {
    for (std::int64_t s = 0; s < alive(t); ++s) {
      const auto at = begin(t) + s, to = row(s, t);
      if (change.out) std::copy_n(out_.d.data() + at * u, u, change.out + to * u);
      if (change.dx) std::copy_n(dx.data() + at * width, width, change.dx + to * width);
    }
  }
}

template <class T>
void SecondShard<T>::weights(T* dkernel, T* drecurrent, T* dbias) const {
  const auto u = units_, width = p_.features;
  if (dkernel) {
    gemm<T>(width, gates_, rows_, {x_.d.data(), width, true}, {da_.v.data(), gates_}, dkernel,
            false);
    gemm<T>(width, gates_, rows_, {x_.v.data(), width, true}, {da_.d.data(), gates_}, dkernel,
            true);
  }
  // Of a GRU the last gate's sums reach the recurrent kernel through q, or by it.
  Pairs<T> sums;
  const Pairs<T>* of_h = &da_;
  if (after() && (drecurrent || dbias)) {
    sums = {rows_, gates_};
    for (std::int64_t r = 0; r < rows_; ++r) {
      const auto to = sums.at(r * gates_);
      std::copy_n(da_.v.data() + r * gates_, 2 * u, to.v);
      std::copy_n(da_.d.data() + r * gates_, 2 * u, to.d);
      std::copy_n(dq_.v.data() + r * u, u, to.v + 2 * u);
      std::copy_n(dq_.d.data() + r * u, u, to.d + 2 * u);
    }
    of_h = &sums;
  }
  if (drecurrent) {
    gemm<T>(u, gates_, rows_, {h_.d.data(), u, true}, {of_h->v.data(), gates_}, drecurrent, false);
    gemm<T>(u, gates_, rows_, {h_.v.data(), u, true}, {of_h->d.data(), gates_}, drecurrent, true);
  }
  if (drecurrent && before()) {
    Pooled<T> last(u * u);
    gemm<T>(u, u, rows_, {q_.d.data(), u, true}, {da_.v.data() + 2 * u, gates_}, last.data(),
            false);
    gemm<T>(u, u, rows_, {q_.v.data(), u, true}, {da_.d.data() + 2 * u, gates_}, last.data(), true);
    for (std::int64_t k = 0; k < u; ++k) {
      std::copy_n(last.data() + k * u, u, drecurrent + k * gates_ + 2 * u);
    }
  }
  if (!dbias) return;
  std::fill_n(dbias, (after() ? 2 : 1) * gates_, T(0));
  const auto add_rows = [this](const T* rows, T* to) {
    for (std::int64_t r = 0; r < rows_; ++r, rows += gates_) {
      for (std::int64_t i = 0; i < gates_; ++i) to[i] += rows[i];
    }
  };
  add_rows(da_.d.data(), dbias);
  if (after()) add_rows(of_h->d.data(), dbias + gates_);
}

namespace {

/// Least rows of a part that pays for a thread of its own.
constexpr std::int64_t second_grain = 64;

}  // namespace

template <class T>
void recurrent_second(const RecurrentProblem<T>& p, const RecurrentDirection<T>& direction,
                      const T* dout, const T* dh_final, const T* dc_final,
                      const RecurrentChange<T>& change) {
  const auto parts = std::max<std::int64_t>(
      1, std::min<std::int64_t>(p.batch / 16, shard_count(p.rows, second_grain)));
  const auto gates = gates_of(p.cell) * p.units;
  const bool two = p.cell == Cell::gru && p.reset_after;
  const auto kernel = p.features * gates, recurrent = p.units * gates, bias = (two ? 2 : 1) * gates;
  const auto all = kernel + recurrent + bias;
  Pooled<T> sums(parts * all);
  parallel_for(parts, [&](std::int64_t part) {
    SecondShard<T> shard(p, direction, shard_begin(p.batch, parts, part),
                         shard_begin(p.batch, parts, part + 1));
    shard.forward();
    shard.backward(dout, dh_final, dc_final);
    shard.results(change);
    T* own = sums.data() + part * all;
    shard.weights(change.dkernel ? own : nullptr, change.drecurrent_kernel ? own + kernel : nullptr,
                  change.dbias ? own + kernel + recurrent : nullptr);
  });
  const auto add_up = [&](T* to, std::int64_t from, std::int64_t count) {
    for (std::int64_t i = 0; to && i < count; ++i) {
      T sum = 0;
      for (std::int64_t part = 0; part < parts; ++part) sum += sums[part * all + from + i];
      to[i] = sum;
    }
  };
  add_up(change.dkernel, 0, kernel);
  add_up(change.drecurrent_kernel, kernel, recurrent);
  add_up(change.dbias, kernel + recurrent, bias);
}

template void recurrent_second(const RecurrentProblem<float>&, const RecurrentDirection<float>&,
                               const float*, const float*, const float*,
                               const RecurrentChange<float>&);
template void recurrent_second(const RecurrentProblem<double>&, const RecurrentDirection<double>&,
                               const double*, const double*, const double*,
                               const RecurrentChange<double>&);

}  // namespace maskgrad::kernels
