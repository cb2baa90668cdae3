#include <maskgrad/core/kernels/selective_scan.hpp>

#include <algorithm>

#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/sequence_cut.hpp>
#include <maskgrad/core/kernels/simd/scan_blocks.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad::kernels {
namespace {

/// A block's states must stay in a near cache. Blocks in memory end with whole vectors.
constexpr std::int64_t widest_channels = 64, narrowest_channels = 16, most_lanes = 16;

template <class T>
SequenceCut scan_cut(const SelectiveScan<T>& p) {
  const auto grain = std::max<std::int64_t>(1, elementwise_grain / (8 * p.state));
  return {{p.sequences, p.rows, p.inner, p.first, p.length},
          narrowest_channels,
          widest_channels,
          grain};
}

std::int64_t padded(std::int64_t n) {
  return (n + most_lanes - 1) / most_lanes * most_lanes;
}

/// Channels of an array [state, inner] as a block, zeros for none and behind them; and back.
template <class T>
void pack(const T* x, const SelectiveScan<T>& p, const simd::ScanBlock<T>& b, T* to) {
  std::fill_n(to, p.state * b.padded, T(0));
  for (std::int64_t s = 0; x && s < p.state; ++s) {
    std::copy_n(x + s * p.inner + b.from, b.n, to + s * b.padded);
  }
}
template <class T>
void unpack(const SelectiveScan<T>& p, const simd::ScanBlock<T>& b, T* to) {
  for (std::int64_t s = 0; s < p.state; ++s) {
    std::copy_n(b.h + s * b.padded, b.n, to + s * p.inner + b.from);
  }
}
template <class T>
const T* of_sequence(const T* states, const SelectiveScan<T>& p, std::int64_t s) {
  return states ? states + s * p.state * p.inner : nullptr;
}

/// f(block, group, number of the block) for each sequence and its blocks, with `room` values to
/// work in behind the block's own.
template <class T, class F>
void over_scan_blocks(const SelectiveScan<T>& p, const SequenceCut& cut, std::int64_t room_blocks,
                      std::int64_t room, F&& f) {
  cut.each_shard([&](std::int64_t group, std::int64_t number, std::int64_t from, std::int64_t to) {
    simd::ScanBlock<T> block{0, from, to - from, padded(to - from), nullptr, nullptr};
    const auto size = p.state * block.padded;
    extend::Pooled<T> work((2 + room_blocks) * size + room);
    block.a = work.data();
    block.h = work.data() + size;
    pack(p.a, p, block, work.data());
    cut.each_sequence(group, [&](std::int64_t s) {
      block.sequence = s;
      f(block, group, number, block.h + size);
    });
  });
}

/// to = the sum of `parts` arrays of `size` values, in their order.
template <class S, class T>
void add_parts(const S* parts, std::int64_t count, std::int64_t size, T* to) {
  if (!to) return;
  over_parts(size, [=](std::int64_t from, std::int64_t end) {
    for (auto i = from; i < end; ++i) {
      S sum = 0;
      for (std::int64_t k = 0; k < count; ++k) sum += parts[k * size + i];
      to[i] = static_cast<T>(sum);
    }
  });
}

}  // namespace

template <class T>
void selective_scan(const SelectiveScan<T>& p, T* y, T* last, T* saved) {
  const SequenceCut cut = scan_cut(p);
  over_scan_blocks(p, cut, 0, 0, [&](simd::ScanBlock<T>& block, auto, auto, T*) {
    pack(of_sequence(p.h0, p, block.sequence), p, block, block.h);
    simd::scan_blocks<T>().forward(p, block, y, saved);
    if (last) unpack(p, block, last + block.sequence * p.state * p.inner);
  });
}

template <class T>
void selective_scan_backward(const SelectiveScan<T>& p, const SelectiveScanGradient<T>& g) {
  const SequenceCut cut = scan_cut(p);
  const auto of_rows = p.rows * p.state, of_weights = p.state * p.inner;
  // What channels or sequences add up has a part for each block or group, so that sums are in a
  // fixed order.
  extend::Pooled<T> db(cut.blocks() * of_rows), dc(cut.blocks() * of_rows);
  extend::Pooled<double> da(cut.groups() * of_weights);
  std::fill(da.begin(), da.end(), 0.0);
  const auto lanes = 2 * p.state * most_lanes;
  over_scan_blocks(
      p, cut, 2 * scan_chunk + 2, lanes,
      [&](simd::ScanBlock<T>& block, std::int64_t group, std::int64_t number, T* room) {
        const auto size = p.state * block.padded;
        const simd::ScanSums<T> sums{.before = room,
                                     .factors = room + (scan_chunk + 1) * size,
                                     .da = room + (2 * scan_chunk + 1) * size,
                                     .lanes = room + (2 * scan_chunk + 2) * size,
                                     .db = db.data() + number * of_rows,
                                     .dc = dc.data() + number * of_rows,
                                     .all = da.data() + group * of_weights};
        pack(of_sequence(g.dlast, p, block.sequence), p, block, block.h);
        simd::scan_blocks<T>().backward(p, g, block, sums);
        if (g.dh0) unpack(p, block, g.dh0 + block.sequence * of_weights);
      });
  add_parts(da.data(), cut.groups(), of_weights, g.da);
  add_parts(db.data(), cut.blocks(), of_rows, g.db);
  add_parts(dc.data(), cut.blocks(), of_rows, g.dc);
}

template void selective_scan(const SelectiveScan<float>&, float*, float*, float*);
template void selective_scan(const SelectiveScan<double>&, double*, double*, double*);
template void selective_scan_backward(const SelectiveScan<float>&,
                                      const SelectiveScanGradient<float>&);
template void selective_scan_backward(const SelectiveScan<double>&,
                                      const SelectiveScanGradient<double>&);

}  // namespace maskgrad::kernels
