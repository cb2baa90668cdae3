#pragma once

#include <algorithm>

#include <maskgrad/core/kernels/attention_tile.hpp>
#include <maskgrad/core/kernels/blas.hpp>
#include <maskgrad/core/threads.hpp>

/// How attention's passes go over queries and keys, block by block.
namespace maskgrad::kernels::attention_detail {

// A block of weights stays in a core's second cache, twice in backward.
inline constexpr std::int64_t query_block = 64, key_block = 256;
/// Least multiplications for which a thread of its own pays.
inline constexpr std::int64_t attention_grain = 1 << 19;

/// Calls f(tile) for the blocks of queries of a sequence and head.
template <class T, class F>
void each_queries(const AttentionProblem<T>& p, std::int64_t sequence, std::int64_t head, F&& f) {
  const auto first = p.query_first[sequence], end = first + p.query_count[sequence];
  for (auto at = first; at < end; at += query_block) {
    f(Tile<T>{p, sequence, head, at, std::min(query_block, end - at)});
  }
}

/// Calls f() for the blocks of keys that its queries see, with the tile at each.
template <class T, class F>
void each_keys(Tile<T>& tile, F&& f) {
  const auto first = tile.p.key_first[tile.sequence];
  const auto end = first + tile.end_rank();
  for (tile.key = first + tile.first_rank(); tile.key < end; tile.key += key_block) {
    tile.keys = std::min(key_block, end - tile.key);
    f();
  }
}

/// Work in multiplications, by which threads share it.
template <class T>
std::int64_t work(const AttentionProblem<T>& p) {
  std::int64_t pairs = 0;
  for (std::int64_t b = 0; b < p.batch; ++b) pairs += p.query_count[b] * p.key_count[b];
  return pairs * p.heads * (p.dim + p.dim_v);
}

/// Calls run(tile) for all blocks of queries, where gradients of keys, values and, with
/// `adds_bias`, of the bias are added: `make()` gives a shard its `run`. A unit is a sequence and a
/// key head, whose gradients no other unit adds to. What is added to a bias that several of them
/// share comes from one shard, in order. `times`: the work, as a multiple of forward's.
template <class T, class Make>
void each_adding(const AttentionProblem<T>& p, bool adds_bias, std::int64_t times, Make make) {
  const bool one_batch = adds_bias && p.bias.batch == 0, one_head = adds_bias && p.bias.head == 0;
  const auto batches = one_batch ? 1 : p.batch, kv_heads = one_head ? 1 : p.kv_heads;
  const auto units = p.batch == 0 ? 0 : batches * kv_heads;
  const auto shards = std::min(units, extend::shard_count(times * work(p), attention_grain));
  const auto heads = p.heads / kv_heads;
  extend::parallel_for(shards, [&](std::int64_t s) {
    auto run = make();
    const BlasCall call;
    for (auto u = extend::shard_begin(units, shards, s);
         u < extend::shard_begin(units, shards, s + 1); ++u) {
      const auto sequence = u / kv_heads, last = one_batch ? p.batch : sequence + 1;
      for (auto b = sequence; b < last; ++b) {
        for (auto h = u % kv_heads * heads; h < (u % kv_heads + 1) * heads; ++h) {
          each_queries(p, b, h, run);
        }
      }
    }
  });
}

}  // namespace maskgrad::kernels::attention_detail
