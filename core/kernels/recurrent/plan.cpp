#include <maskgrad/core/kernels/recurrent/plan.hpp>

#include <algorithm>
#include <type_traits>

#include <maskgrad/core/kernels/recurrent/product.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>
#include <maskgrad/core/memory.hpp>

namespace maskgrad::kernels::recurrent {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

void set_form(Sizes& s, Cell cell, bool reset_after) {
  s.form = cell == Cell::lstm  ? Form::lstm
           : cell == Cell::gru ? (reset_after ? Form::gru_after : Form::gru_before)
                               : Form::simple;
  auto set = [&]<Form form>(std::integral_constant<Form, form>) {
    s.shape = panel_shape<form>;
    s.block = simd::with_level([]<class L>(L) { return strip_rows<L, form>; });
  };
  if (s.form == Form::simple) set(std::integral_constant<Form, Form::simple>{});
  if (s.form == Form::gru_after) set(std::integral_constant<Form, Form::gru_after>{});
  if (s.form == Form::gru_before) set(std::integral_constant<Form, Form::gru_before>{});
  if (s.form == Form::lstm) set(std::integral_constant<Form, Form::lstm>{});
}

/// Each shard reads all recurrent weights once a step, so it wants sequences enough to be worth
/// that, the more the further from the core the weights lie; but two cores should have work where
/// the work is worth waking one.
std::int64_t shard_count_of(const Sizes& s, std::int64_t rows, std::int64_t element) {
  if (s.live == 0) return 0;
  const std::int64_t running = std::max<std::int64_t>(1, rows / s.longest);
  const std::int64_t weights = s.units * s.gates * s.units;
  const std::int64_t least = weights * element > (std::int64_t{128} << 10) ? 8 : 4;
  const std::int64_t wanted = std::max(running / least, std::min<std::int64_t>(2, running / 2));
  const std::int64_t worth = rows * (s.features + s.units) * s.gates * s.units >> 20;
  return std::clamp<std::int64_t>(std::min(wanted, worth), 1, 4);
}

/// Rows of a chunk: what a chunk holds should stay in the second-level cache; but all gradients of
/// the weights pass by once a chunk, and where they are larger than that cache, chunks are long.
std::int64_t chunk_of(const Sizes& s, std::int64_t element) {
  const std::int64_t weights = (s.features + s.units) * s.gates * s.units * element;
  if (weights > std::int64_t{2} << 20) return 512;
  const std::int64_t row = (2 * s.panels * s.panel + s.padded + s.features) * element;
  return std::clamp<std::int64_t>((std::int64_t{384} << 10) / row, 96, 512);
}

}  // namespace

template <class T>
Sizes sizes_of(const RecurrentProblem<T>& problem) {
  Sizes s;
  set_form(s, problem.cell, problem.reset_after);
  s.lanes = simd::with_level([]<class L>(L) { return std::int64_t{simd::Vec<L, T>::lanes}; });
  s.units = problem.units;
  s.features = problem.features;
  s.gates = s.shape.x_count;
  s.panels = ceil_div(s.units, s.lanes);
  s.padded = s.panels * s.lanes;
  s.panel = s.shape.vectors * s.lanes;
  s.x_vectors = ceil_div(s.features, s.lanes);
  for (std::int64_t i = 0; i < problem.batch; ++i) {
    s.live += problem.length[i] > 0;
    s.longest = std::max(s.longest, problem.length[i]);
  }
  const std::int64_t element = sizeof(T);
  s.shards = shard_count_of(s, problem.rows, element);
  if (s.shards > 0) s.chunk = std::max(chunk_of(s, element), ceil_div(s.live, s.shards));
  return s;
}

Shard* take_shards(Arena& arena, const Sizes& s) {
  Shard* shards = arena.take<Shard>(s.shards);
  const std::int64_t most = s.shards ? ceil_div(s.live, s.shards) : 0;
  for (std::int64_t i = 0; i < s.shards; ++i) {
    auto* id = arena.take<std::int64_t>(most);
    auto* start = arena.take<std::int64_t>(most);
    auto* length = arena.take<std::int64_t>(most);
    auto* offset = arena.take<std::int64_t>(s.longest + 2);
    auto* chunk_step = arena.take<std::int64_t>(s.longest + 1);
    if (shards) {
      shards[i] = Shard{};
      shards[i].id = id;
      shards[i].start = start;
      shards[i].length = length;
      shards[i].offset = offset;
      shards[i].chunk_step = chunk_step;
    }
  }
  return shards;
}

template <class T>
void plan_shards(const RecurrentProblem<T>& problem, const Sizes& s, Shard* shards,
                 std::int64_t* order) {
  std::int64_t live = 0;
  for (std::int64_t i = 0; i < problem.batch; ++i) {
    if (problem.length[i] > 0) order[live++] = i;
  }
  std::sort(order, order + live, [&](std::int64_t a, std::int64_t b) {
    const std::int64_t la = problem.length[a], lb = problem.length[b];
    return la != lb ? la > lb : a < b;
  });
  for (std::int64_t i = 0; i < live; ++i) {
    // There and back, so that no shard always gets the longer one.
    const std::int64_t round = i / s.shards, place = i % s.shards;
    Shard& shard = shards[round % 2 ? s.shards - 1 - place : place];
    const std::int64_t id = order[i], length = problem.length[id];
    shard.id[shard.sequences] = id;
    shard.length[shard.sequences] = length;
    shard.start[shard.sequences++] = problem.first[id] + (problem.reverse ? length - 1 : 0);
  }
  std::int64_t first_row = 0, first_state = 0;
  for (std::int64_t i = 0; i < s.shards; ++i) {
    Shard& shard = shards[i];
    shard.first_row = first_row;
    shard.first_state = first_state;
    shard.steps = shard.length[0];
    std::int64_t running = shard.sequences, begin = 0;
    for (std::int64_t t = 0; t < shard.steps; ++t) {
      while (shard.length[running - 1] <= t) --running;
      shard.offset[t] = shard.rows;
      if (t == 0 || shard.rows + running - begin > s.chunk) {
        shard.chunk_step[shard.chunks++] = t;
        begin = shard.rows;
      }
      shard.rows += running;
    }
    // One more offset: no row after the last step.
    shard.offset[shard.steps] = shard.rows;
    shard.chunk_step[shard.chunks] = shard.steps;
    first_row += shard.rows;
    first_state += shard.chunks * shard.sequences;
  }
}

template <class T>
std::int64_t kept_states(const RecurrentProblem<T>& problem, const Sizes& s) {
  if (s.live == 0) return 0;
  Arena count(nullptr);
  take_shards(count, s);
  count.take<std::int64_t>(s.live);
  const extend::Storage memory(count.needed());
  Arena arena(memory.data());
  Shard* shards = take_shards(arena, s);
  plan_shards(problem, s, shards, arena.take<std::int64_t>(s.live));
  const Shard& last = shards[s.shards - 1];
  return last.first_state + last.chunks * last.sequences;
}

template <class T>
void pass_empty(const RecurrentProblem<T>& problem, const T* from, T* to) {
  if (to == nullptr) return;
  for (std::int64_t i = 0; i < problem.batch; ++i) {
    if (problem.length[i] > 0) continue;
    T* row = to + i * problem.units;
    if (from) {
      std::copy_n(from + i * problem.units, problem.units, row);
    } else {
      std::fill_n(row, problem.units, T{0});
    }
  }
}

template Sizes sizes_of(const RecurrentProblem<float>&);
template Sizes sizes_of(const RecurrentProblem<double>&);
template std::int64_t kept_states(const RecurrentProblem<float>&, const Sizes&);
template std::int64_t kept_states(const RecurrentProblem<double>&, const Sizes&);
template void plan_shards(const RecurrentProblem<float>&, const Sizes&, Shard*, std::int64_t*);
template void plan_shards(const RecurrentProblem<double>&, const Sizes&, Shard*, std::int64_t*);
template void pass_empty(const RecurrentProblem<float>&, const float*, float*);
template void pass_empty(const RecurrentProblem<double>&, const double*, double*);

}  // namespace maskgrad::kernels::recurrent
