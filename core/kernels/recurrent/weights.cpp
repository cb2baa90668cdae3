#include <maskgrad/core/kernels/recurrent/weights.hpp>

#include <algorithm>
#include <cmath>

namespace maskgrad::kernels::recurrent {
namespace {

/// Gate, in Keras's order, of a vector of the recurrent part of a panel.
std::int64_t recurrent_gate(const Sizes& s, std::int64_t vector) {
  return s.form == Form::gru_after ? (vector + 2) % 3 : vector;
}

/// The first column and the number of columns of a gate in one panel.
struct Columns {
  std::int64_t first;
  std::int64_t count;
};
Columns columns(const Sizes& s, std::int64_t gate, std::int64_t panel) {
  return {gate * s.units + panel * s.lanes, std::min(s.lanes, s.units - panel * s.lanes)};
}

/// [rows][gates * lanes] of each panel of a range, from a matrix [rows, gates * units]. Rows are
/// the outer loop, so that the matrix is read in order.
template <class T, class Gate>
void pack(const Sizes& s, T* to, const T* from, std::int64_t rows, Range panels, Gate gate) {
  const std::int64_t width = s.gates * s.lanes;
  for (std::int64_t i = 0; i < rows; ++i, from += s.gates * s.units) {
    for (std::int64_t v = 0; v < s.gates; ++v) {
      for (std::int64_t p = panels.begin; p < panels.end; ++p) {
        const Columns c = columns(s, gate(v), p);
        T* part = to + (p * rows + i) * width + v * s.lanes;
        std::fill(std::copy_n(from + c.first, c.count, part), part + s.lanes, T{0});
      }
    }
  }
}

/// A block of columns of the transposed matrix: [panels][gates * lanes][lanes], from `count` rows
/// of the matrix.
template <class T, class Gate>
void pack_transposed(const Sizes& s, T* to, const T* from, std::int64_t count, Gate gate) {
  std::fill_n(to, s.panels * s.gates * s.lanes * s.lanes, T{0});
  for (std::int64_t p = 0; p < s.panels; ++p) {
    for (std::int64_t v = 0; v < s.gates; ++v, to += s.lanes * s.lanes) {
      const Columns c = columns(s, gate(v), p);
      for (std::int64_t i = 0; i < count; ++i) {
        const T* row = from + i * s.gates * s.units + c.first;
        for (std::int64_t j = 0; j < c.count; ++j) to[j * s.lanes + i] = row[j];
      }
    }
  }
}

/// The sum over shards of a part of their memory, out of panels [rows][vectors * lanes].
template <class T>
struct Sum {
  const Sizes& s;
  const Workspace<T>* work;
  T* Workspace<T>::*part;
  std::int64_t rows;
  std::int64_t vectors;

  /// Column of `gate` in row i of the result += vector v of row i of the panels.
  void add(T* to, std::int64_t i, std::int64_t v, std::int64_t gate, Range panels) const {
    for (std::int64_t p = panels.begin; p < panels.end; ++p) {
      const Columns c = columns(s, gate, p);
      const std::int64_t at = ((p * rows + i) * vectors + v) * s.lanes;
      T* sum = to + i * s.gates * s.units + c.first;
      if (s.shards == 0) std::fill_n(sum, c.count, T{0});
      for (std::int64_t k = 0; k < s.shards; ++k) {
        const T* one = work[k].*part + at;
        for (std::int64_t j = 0; j < c.count; ++j) sum[j] = k ? sum[j] + one[j] : one[j];
      }
    }
  }
};

template <class T>
void pack_bias(const RecurrentProblem<T>& problem, const Sizes& s, T* to, std::int64_t panel) {
  to += panel * s.panel;
  std::fill_n(to, s.panel, T{0});
  if (problem.bias == nullptr) return;
  for (std::int64_t gate = 0; gate < s.gates; ++gate) {
    const Columns c = columns(s, gate, panel);
    T* sum = to + (s.shape.x_first + gate) * s.lanes;
    std::copy_n(problem.bias + c.first, c.count, sum);
    if (s.form != Form::gru_after) continue;
    // The recurrent bias of z and r joins the input's; that of the new state stays by itself.
    if (gate == 2) sum = to;
    const T* recurrent = problem.bias + s.gates * s.units + c.first;
    for (std::int64_t j = 0; j < c.count; ++j) sum[j] += recurrent[j];
  }
}

}  // namespace

template <class T>
Packed<T> take_packed(Arena& arena, const Sizes& s, bool transposed) {
  Packed<T> packed;
  const std::int64_t gates = s.gates * s.lanes;
  if (!transposed) {
    packed.kernel = arena.take<T>(s.panels * s.features * gates);
    packed.recurrent = arena.take<T>(s.panels * s.units * gates);
    packed.bias = arena.take<T>(s.panels * s.panel);
    return packed;
  }
  packed.recurrent_transposed = arena.take<T>(s.panels * s.panels * gates * s.lanes);
  packed.kernel_transposed = arena.take<T>(s.x_vectors * s.panels * gates * s.lanes);
  return packed;
}

template <class T>
void pack_panels(const RecurrentProblem<T>& problem, const Sizes& s, const Packed<T>& packed,
                 Range panels) {
  auto own = [](std::int64_t v) { return v; };
  if (problem.kernel) pack(s, packed.kernel, problem.kernel, s.features, panels, own);
  if (problem.recurrent_kernel) {
    pack(s, packed.recurrent, problem.recurrent_kernel, s.units, panels,
         [&](std::int64_t v) { return recurrent_gate(s, v); });
  }
  for (std::int64_t p = panels.begin; p < panels.end; ++p) pack_bias(problem, s, packed.bias, p);
}

template <class T>
void pack_transposed_columns(const Scan<T>& scan, std::int64_t column) {
  const Sizes& s = scan.sizes;
  const std::int64_t rows = s.lanes * s.gates * s.units;
  const std::int64_t size = s.panels * s.gates * s.lanes * s.lanes;
  const bool recurrent = column < s.panels;
  if (!recurrent) column -= s.panels;
  const std::int64_t rest = (recurrent ? s.units : s.features) - column * s.lanes;
  const T* from = recurrent ? scan.problem->recurrent_kernel : scan.problem->kernel;
  if (from == nullptr) return;
  T* to = (recurrent ? scan.packed.recurrent_transposed : scan.packed.kernel_transposed) +
          column * size;
  pack_transposed(s, to, from + column * rows, std::min(s.lanes, rest),
                  [&](std::int64_t v) { return recurrent ? recurrent_gate(s, v) : v; });
  if (!(recurrent ? scan.odd_recurrent : scan.odd_kernel)) return;
  std::replace_if(
      to, to + size, [](T w) { return !std::isfinite(w); }, T{0});
}

template <class T>
void sum_panels(const RecurrentBackward<T>& gradient, const Sizes& s, const Workspace<T>* work,
                Range panels) {
  using W = Workspace<T>;
  auto sum = [&](T* to, T* W::*part, std::int64_t rows, auto gate) {
    const Sum<T> all{s, work, part, rows, s.gates};
    for (std::int64_t i = 0; to && i < rows; ++i) {
      for (std::int64_t v = 0; v < s.gates; ++v) all.add(to, i, v, gate(v), panels);
    }
  };
  auto recurrent = [&](std::int64_t v) { return recurrent_gate(s, v); };
  sum(gradient.dkernel, &W::dkernel, s.features, [](std::int64_t v) { return v; });
  sum(gradient.drecurrent_kernel, &W::drecurrent, s.units, recurrent);
  if (gradient.dbias == nullptr) return;
  const Sum<T> bias{s, work, &W::dbias, 1, s.shape.vectors};
  for (std::int64_t v = 0; v < s.gates; ++v) {
    bias.add(gradient.dbias, 0, s.shape.x_first + v, v, panels);
    if (s.form == Form::gru_after) {
      bias.add(gradient.dbias + s.gates * s.units, 0, v, recurrent(v), panels);
    }
  }
}

template Packed<float> take_packed(Arena&, const Sizes&, bool);
template Packed<double> take_packed(Arena&, const Sizes&, bool);
template void pack_panels(const RecurrentProblem<float>&, const Sizes&, const Packed<float>&,
                          Range);
template void pack_transposed_columns(const Scan<float>&, std::int64_t);
template void sum_panels(const RecurrentBackward<float>&, const Sizes&, const Workspace<float>*,
                         Range);
template void pack_panels(const RecurrentProblem<double>&, const Sizes&, const Packed<double>&,
                          Range);
template void pack_transposed_columns(const Scan<double>&, std::int64_t);
template void sum_panels(const RecurrentBackward<double>&, const Sizes&, const Workspace<double>*,
                         Range);

}  // namespace maskgrad::kernels::recurrent
