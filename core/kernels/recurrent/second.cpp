#include <maskgrad/core/kernels/recurrent/second.hpp>

#include <algorithm>

#include <maskgrad/core/kernels/recurrent/second_layout.hpp>
#include <maskgrad/core/kernels/recurrent/weights.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad::kernels {
namespace {

using namespace recurrent;

/// All memory of a call, in the order in which the arena gives it.
template <class T>
struct SecondMemory {
  Shard* shards = nullptr;
  std::int64_t* order = nullptr;
  Packed<T> packed, direction;
  Moved<T> moved;
  Workspace<T>* work = nullptr;
  SecondWorkspace<T>* second = nullptr;
};

/// Both ways.
template <class T>
Packed<T> take_both(Arena& arena, const Sizes& s) {
  Packed<T> packed = take_packed<T>(arena, s, false);
  const Packed<T> back = take_packed<T>(arena, s, true);
  packed.kernel_transposed = back.kernel_transposed;
  packed.recurrent_transposed = back.recurrent_transposed;
  return packed;
}

template <class T>
Workspace<T> take_work(Arena& arena, const Sizes& s, std::int64_t sequences) {
  Workspace<T> w;
  const std::int64_t pairs = 2 * sequences * s.padded, gates = s.panels * s.gates * s.lanes;
  w.gates = arena.take<T>(2 * s.panels * s.chunk * s.panel);
  w.x = arena.take<T>(2 * s.chunk * (s.features + s.block));
  w.h = arena.take<T>(2 * s.chunk * (s.padded + s.block));
  if (s.form == Form::lstm) w.c = arena.take<T>(pairs);
  if (s.form == Form::gru_before) {
    w.reset = arena.take<T>(pairs);
    w.reset_rows = arena.take<T>(2 * s.chunk * s.padded);
  }
  w.carry = arena.take<T>(pairs);
  w.dx = arena.take<T>(s.chunk * s.x_vectors * s.lanes);
  w.dkernel = arena.take<T>(s.features * gates);
  w.drecurrent = arena.take<T>(s.units * gates);
  w.dbias = arena.take<T>(s.panels * s.panel);
  w.zeros = arena.take<T>(s.padded);
  return w;
}

template <class T>
SecondMemory<T> take_second(Arena& arena, const Sizes& s, std::int64_t rows) {
  SecondMemory<T> m;
  m.shards = take_shards(arena, s);
  m.order = arena.take<std::int64_t>(s.live);
  m.packed = take_both<T>(arena, s);
  m.direction = take_both<T>(arena, s);
  m.moved.gates = arena.take<T>(rows * s.panels * s.panel);
  m.moved.h = arena.take<T>(rows * s.padded);
  if (s.form == Form::lstm) m.moved.c = arena.take<T>(rows * s.padded);
  m.work = arena.take<Workspace<T>>(s.shards);
  m.second = arena.take<SecondWorkspace<T>>(s.shards);
  const std::int64_t sequences = s.shards ? (s.live + s.shards - 1) / s.shards : 0;
  for (std::int64_t i = 0; i < s.shards; ++i) {
    const Workspace<T> work = take_work<T>(arena, s, sequences);
    SecondWorkspace<T> second;
    second.h0 = arena.take<T>(sequences * s.padded);
    if (s.form == Form::lstm) second.c0 = arena.take<T>(sequences * s.padded);
    if (m.work) m.work[i] = work;
    if (m.second) m.second[i] = second;
  }
  return m;
}

/// The weights of `problem`, packed both ways.
template <class T>
void pack_both(const RecurrentProblem<T>& problem, const Sizes& s, const Packed<T>& packed,
               bool inputs) {
  each_part(s, s.panels, [&](Range panels) { pack_panels(problem, s, packed, panels); });
  const Scan<T> scan{&problem, nullptr, nullptr, s, packed};
  each_part(s, s.panels + (inputs ? s.x_vectors : 0), [&](Range columns) {
    for (std::int64_t i = columns.begin; i < columns.end; ++i) pack_transposed_columns(scan, i);
  });
}

/// What recompute left out, made again.
template <class T>
struct Again {
  extend::Pooled<T> out, saved;

  explicit Again(const RecurrentProblem<T>& problem)
      : out(problem.rows * problem.units), saved(recurrent_saved_size(problem)) {
    const extend::Storage scratch(recurrent_forward_scratch(problem));
    recurrent_forward<T>(problem, {.out = out.data(), .saved = saved.data()}, scratch.data());
  }
};

template <class T>
void run_shards(SecondScan<T>& scan) {
  const auto& problem = *scan.problem;
  const auto& change = *scan.change;
  const Sizes& s = scan.sizes;
  Arena count(nullptr);
  take_second<T>(count, s, problem.rows);
  const extend::Storage memory(count.needed());
  Arena arena(memory.data());
  const SecondMemory<T> m = take_second<T>(arena, s, problem.rows);
  if (s.live > 0) {
    scan.packed = m.packed;
    scan.direction_packed = m.direction;
    scan.moved = m.moved;
    plan_shards(problem, s, m.shards, m.order);
    pack_both(problem, s, m.packed, change.dx != nullptr);
    RecurrentProblem<T> moving = problem;
    moving.kernel = scan.direction->kernel;
    moving.recurrent_kernel = scan.direction->recurrent_kernel;
    moving.bias = scan.direction->bias;
    pack_both(moving, s, m.direction, change.dx != nullptr);
    simd::with_level([&]<class L>(L) {
      extend::parallel_for(s.shards, [&](std::int64_t i) {
        Workspace<T> work = m.work[i];
        if (change.dkernel == nullptr) work.dkernel = nullptr;
        if (change.drecurrent_kernel == nullptr) work.drecurrent = nullptr;
        std::fill_n(work.zeros, s.padded, T{0});
        SecondScans<L, T>::run(scan, m.shards[i], work, m.second[i]);
      });
    });
  }
  const RecurrentBackward<T> sums{.dkernel = change.dkernel,
                                  .drecurrent_kernel = change.drecurrent_kernel,
                                  .dbias = change.dbias};
  each_part(s, s.panels, [&](Range panels) { sum_panels(sums, s, m.work, panels); });
}

}  // namespace

template <class T>
void recurrent_second(const RecurrentProblem<T>& problem, const RecurrentBackward<T>& backward,
                      const RecurrentDirection<T>& direction, const RecurrentChange<T>& change) {
  const bool lstm = problem.cell == Cell::lstm;
  const T* none = nullptr;
  pass_empty(problem, direction.h0, change.h);
  pass_empty(problem, none, change.dh0);
  if (lstm) {
    pass_empty(problem, direction.c0, change.c);
    pass_empty(problem, none, change.dc0);
  }
  SecondScan<T> scan{&problem, &backward, &direction, &change, sizes_of(problem), {}, {}, {}};
  if (!problem.recompute) return run_shards(scan);
  RecurrentProblem<T> whole = problem;
  whole.training = true;
  whole.recompute = false;
  const Again<T> again(whole);
  RecurrentBackward<T> kept = backward;
  kept.out = again.out.data();
  kept.saved = again.saved.data();
  scan.problem = &whole;
  scan.backward = &kept;
  run_shards(scan);
}

template void recurrent_second(const RecurrentProblem<float>&, const RecurrentBackward<float>&,
                               const RecurrentDirection<float>&, const RecurrentChange<float>&);
template void recurrent_second(const RecurrentProblem<double>&, const RecurrentBackward<double>&,
                               const RecurrentDirection<double>&, const RecurrentChange<double>&);

}  // namespace maskgrad::kernels
