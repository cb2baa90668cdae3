#include <maskgrad/core/kernels/recurrent/recurrent.hpp>

#include <algorithm>

#include <maskgrad/core/kernels/recurrent/plan.hpp>
#include <maskgrad/core/kernels/recurrent/weights.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>
#include <maskgrad/core/threads.hpp>

namespace maskgrad::kernels {
namespace {

using namespace recurrent;

/// All memory of a call, in the order in which the arena gives it.
template <class T>
struct Memory {
  Shard* shards = nullptr;
  std::int64_t* order = nullptr;
  Packed<T> packed;
  Workspace<T>* work = nullptr;
  Packed<T> forward;              ///< of a backward that makes chunks again: its weights,
  Workspace<T>* again = nullptr;  ///< and what that needs
};

template <class T>
Workspace<T> take_forward(Arena& arena, const Sizes& s, const RecurrentProblem<T>& problem) {
  Workspace<T> w;
  const std::int64_t sequences = (s.live + s.shards - 1) / s.shards;
  const std::int64_t state = sequences * s.padded;
  if (!problem.training || problem.recompute || s.form == Form::simple) {
    w.gates = arena.take<T>(s.panels * s.chunk * s.panel);
  }
  w.x = arena.take<T>(s.chunk * s.features);
  w.h = arena.take<T>(2 * state);
  if (s.form == Form::lstm) w.c = arena.take<T>(state);
  if (s.form == Form::gru_before) w.reset = arena.take<T>(state);
  w.targets = arena.take<T*>(sequences);
  return w;
}

/// The weights' gradients are taken whether wanted or not: what a call needs must not depend on it.
template <class T>
Workspace<T> take_backward(Arena& arena, const Sizes& s) {
  Workspace<T> w;
  const std::int64_t sequences = (s.live + s.shards - 1) / s.shards;
  const std::int64_t state = sequences * s.padded;
  const std::int64_t gates = s.panels * s.gates * s.lanes;
  w.gates = arena.take<T>(s.panels * s.chunk * s.panel);
  w.x = arena.take<T>(s.chunk * (s.features + s.block));
  w.h = arena.take<T>(s.chunk * (s.units + s.block));
  if (s.form == Form::lstm) w.c = arena.take<T>(state);
  if (s.form == Form::gru_before) {
    w.reset = arena.take<T>(state);
    w.reset_rows = arena.take<T>(s.chunk * s.padded);
  }
  w.carry = arena.take<T>(state);
  w.dx = arena.take<T>(s.chunk * s.x_vectors * s.lanes);
  w.dkernel = arena.take<T>(s.features * gates);
  w.drecurrent = arena.take<T>(s.units * gates);
  w.dbias = arena.take<T>(s.panels * s.panel);
  w.zeros = arena.take<T>(s.padded);
  w.sources = arena.take<const T*>(2 * sequences);
  return w;
}

template <class T>
Memory<T> take_memory(Arena& arena, const Sizes& s, const RecurrentProblem<T>& problem,
                      bool backward) {
  Memory<T> m;
  m.shards = take_shards(arena, s);
  m.order = arena.take<std::int64_t>(s.live);
  if (backward || !problem.packed) m.packed = take_packed<T>(arena, s, backward);
  m.work = arena.take<Workspace<T>>(s.shards);
  for (std::int64_t i = 0; i < s.shards; ++i) {
    const Workspace<T> w = backward ? take_backward<T>(arena, s) : take_forward(arena, s, problem);
    if (m.work) m.work[i] = w;
  }
  if (!backward || !problem.recompute) return m;
  m.forward = take_packed<T>(arena, s, false);
  m.again = arena.take<Workspace<T>>(s.shards);
  for (std::int64_t i = 0; i < s.shards; ++i) {
    Workspace<T> w = take_forward(arena, s, problem);
    w.outputs = arena.take<T>(s.chunk * s.units);
    if (s.form == Form::lstm) w.cells = arena.take<T>(s.chunk * s.padded);
    if (m.again) m.again[i] = w;
  }
  return m;
}

template <class T>
std::int64_t scratch_bytes(const RecurrentProblem<T>& problem, bool backward) {
  Arena arena(nullptr);
  take_memory(arena, sizes_of(problem), problem, backward);
  return arena.needed();
}

/// Whether backward reads what is not finite, beside the kernels.
template <class T>
bool reads_odd(const RecurrentProblem<T>& p, const RecurrentBackward<T>& g) {
  const std::int64_t states = p.batch * p.units, outputs = p.rows * p.units;
  const auto finite = [](const T* x, std::int64_t n) { return !x || all_finite_of(x, n); };
  return !(finite(p.x, p.rows * p.features) && finite(g.out, outputs) && finite(g.dout, outputs) &&
           finite(p.h0, states) && finite(p.c0, states) && finite(g.dh_final, states) &&
           finite(g.dc_final, states));
}

}  // namespace

template <class T>
std::int64_t recurrent_saved_size(const RecurrentProblem<T>& problem) {
  const Sizes s = sizes_of(problem);
  if (problem.recompute) {
    return kept_states(problem, s) * s.padded * (s.form == Form::lstm ? 2 : 1);
  }
  if (s.form == Form::simple) return 0;
  return problem.rows * (s.panels * s.panel + (s.form == Form::lstm ? s.padded : 0));
}

template <class T>
std::int64_t recurrent_forward_scratch(const RecurrentProblem<T>& problem) {
  return scratch_bytes(problem, false);
}

template <class T>
std::int64_t recurrent_backward_scratch(const RecurrentProblem<T>& problem) {
  return scratch_bytes(problem, true);
}

template <class T>
std::int64_t recurrent_packed_size(const RecurrentProblem<T>& problem) {
  Arena arena(nullptr);
  take_packed<T>(arena, sizes_of(problem), false);
  return arena.needed() / static_cast<std::int64_t>(sizeof(T));
}

template <class T>
void recurrent_pack(const RecurrentProblem<T>& problem, T* to) {
  const Sizes s = sizes_of(problem);
  Arena arena(to);
  const Packed<T> packed = take_packed<T>(arena, s, false);
  each_part(s, s.panels, [&](Range panels) { pack_panels(problem, s, packed, panels); });
}

template <class T>
void recurrent_forward(const RecurrentProblem<T>& problem, const RecurrentForward<T>& result,
                       void* scratch) {
  pass_empty(problem, problem.h0, result.h);
  if (problem.cell == Cell::lstm) pass_empty(problem, problem.c0, result.c);
  Scan<T> scan{&problem, &result, nullptr, sizes_of(problem), {}};
  const Sizes& s = scan.sizes;
  if (s.live == 0) return;
  Arena arena(scratch);
  const Memory<T> m = take_memory(arena, s, problem, false);
  plan_shards(problem, s, m.shards, m.order);
  if (problem.packed) {
    Arena there(const_cast<T*>(problem.packed));
    scan.packed = take_packed<T>(there, s, false);
  } else {
    scan.packed = m.packed;
    each_part(s, s.panels, [&](Range panels) { pack_panels(problem, s, m.packed, panels); });
  }
  simd::with_level([&]<class L>(L) {
    extend::parallel_for(
        s.shards, [&](std::int64_t i) { Scans<L, T>::forward(scan, m.shards[i], m.work[i]); });
  });
}

template <class T>
void recurrent_backward(const RecurrentProblem<T>& problem, const RecurrentBackward<T>& gradient,
                        void* scratch) {
  pass_empty(problem, gradient.dh_final, gradient.dh0);
  if (problem.cell == Cell::lstm) pass_empty(problem, gradient.dc_final, gradient.dc0);
  Scan<T> scan{&problem, nullptr, &gradient, sizes_of(problem), {}};
  const Sizes& s = scan.sizes;
  Arena arena(scratch);
  const Memory<T> m = take_memory(arena, s, problem, true);
  if (s.live > 0) {
    scan.packed = m.packed;
    const std::int64_t columns = s.gates * s.units;
    scan.odd_recurrent = !all_finite_of(problem.recurrent_kernel, s.units * columns);
    scan.odd_kernel = !all_finite_of(problem.kernel, s.features * columns);
    scan.odd = scan.odd_kernel || scan.odd_recurrent || reads_odd(problem, gradient);
    plan_shards(problem, s, m.shards, m.order);
    if (problem.recompute) {
      scan.packed.kernel = m.forward.kernel;
      scan.packed.recurrent = m.forward.recurrent;
      scan.packed.bias = m.forward.bias;
      each_part(s, s.panels, [&](Range panels) { pack_panels(problem, s, m.forward, panels); });
    }
    each_part(s, s.panels + (gradient.dx ? s.x_vectors : 0), [&](Range columns) {
      for (std::int64_t i = columns.begin; i < columns.end; ++i) {
        pack_transposed_columns(scan, i);
      }
    });
    simd::with_level([&]<class L>(L) {
      extend::parallel_for(s.shards, [&](std::int64_t i) {
        Workspace<T> work = m.work[i];
        if (gradient.dkernel == nullptr) work.dkernel = nullptr;
        if (gradient.drecurrent_kernel == nullptr) work.drecurrent = nullptr;
        std::fill_n(work.zeros, s.padded, T{0});
        Scans<L, T>::backward(scan, m.shards[i], work, m.again ? m.again + i : nullptr);
      });
    });
  }
  each_part(s, s.panels, [&](Range panels) { sum_panels(gradient, s, m.work, panels); });
}

template std::int64_t recurrent_saved_size(const RecurrentProblem<float>&);
template std::int64_t recurrent_saved_size(const RecurrentProblem<double>&);
template std::int64_t recurrent_forward_scratch(const RecurrentProblem<float>&);
template std::int64_t recurrent_forward_scratch(const RecurrentProblem<double>&);
template std::int64_t recurrent_backward_scratch(const RecurrentProblem<float>&);
template std::int64_t recurrent_backward_scratch(const RecurrentProblem<double>&);
template std::int64_t recurrent_packed_size(const RecurrentProblem<float>&);
template std::int64_t recurrent_packed_size(const RecurrentProblem<double>&);
template void recurrent_pack(const RecurrentProblem<float>&, float*);
template void recurrent_pack(const RecurrentProblem<double>&, double*);
template void recurrent_forward(const RecurrentProblem<float>&, const RecurrentForward<float>&,
                                void*);
template void recurrent_forward(const RecurrentProblem<double>&, const RecurrentForward<double>&,
                                void*);
template void recurrent_backward(const RecurrentProblem<float>&, const RecurrentBackward<float>&,
                                 void*);
template void recurrent_backward(const RecurrentProblem<double>&, const RecurrentBackward<double>&,
                                 void*);

}  // namespace maskgrad::kernels
