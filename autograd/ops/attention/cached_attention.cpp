#include <maskgrad/autograd/ops/attention/cached_attention.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/kernels/attention_decode.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::int64_t least_room = 16;
// Queries of a sequence, on average, up to which their keys are read for each of them.
constexpr std::int64_t most_decoded = 2;

/// Copies steps of each sequence: `count[s]` rows from row from_first[s] to row to_first[s].
void copy_steps(const Tensor& from, const extend::Index& from_first, const Tensor& to,
                const extend::Index& to_first, const extend::Index& count) {
  const auto width = from.shape().count(2, from.rank());
  dispatch_real("append", from.dtype(), [&]<class T>() {
    const T* in = rows::of<T>(from).data();
    T* out = rows::of_mutable<T>(to).data();
    for (std::int64_t s = 0; s < count.size(); ++s) {
      if (count[s] == 0) continue;
      std::copy_n(in + from_first[s] * width, count[s] * width, out + to_first[s] * width);
    }
  });
}

extend::Index places(std::int64_t batch, std::int64_t room, const extend::Index* behind = nullptr) {
  extend::Index first(batch);
  for (std::int64_t s = 0; s < batch; ++s) first[s] = s * room + (behind ? (*behind)[s] : 0);
  return first;
}

/// A store of `room` steps with the last `keep` of the `count` that each sequence has in `store`.
Tensor moved(const Tensor& store, const Tensor& like, std::int64_t room, const extend::Index& count,
             const extend::Index& keep) {
  const auto batch = like.shape()[0];
  Shape shape = like.shape();
  shape[1] = room;
  const Tensor made = rows::make(shape, like.dtype());
  if (!store.defined()) return made;
  extend::Index dropped(batch);
  for (std::int64_t s = 0; s < batch; ++s) dropped[s] = count[s] - keep[s];
  copy_steps(store, places(batch, store.shape()[1], &dropped), made, places(batch, room), keep);
  return made;
}

}  // namespace

void append(KeyCache& cache, const Tensor& k, const Tensor& v, std::optional<std::int64_t> window,
            bool shared) {
  const auto batch = k.shape()[0];
  const Sequences more = samples_of(k), more_values = samples_of(v);
  extend::Index count(batch), keep(batch);
  std::int64_t most = 0, most_kept = 0;
  for (std::int64_t s = 0; s < batch; ++s) {
    count[s] = cache.count.defined()
                   ? rows::of<std::int64_t>(cache.count)[static_cast<std::size_t>(s)]
                   : 0;
    keep[s] = window ? std::min(count[s], *window) : count[s];
    most = std::max(most, count[s] + more.length[s]);
    most_kept = std::max(most_kept, keep[s] + more.length[s]);
  }
  const auto room = cache.keys.defined() ? cache.keys.shape()[1] : 0;
  if (shared || most > room || !cache.keys.defined()) {
    const auto next = most_kept <= room / 2 ? room : std::max(least_room, 2 * most_kept);
    cache.keys = moved(cache.keys, k, next, count, keep);
    cache.values = moved(cache.values, v, next, count, keep);
    count = keep;
  }
  const auto at = places(batch, cache.keys.shape()[1], &count);
  copy_steps(k, more.first, cache.keys, at, more.length);
  copy_steps(v, more_values.first, cache.values, at, more.length);
  // The counts of before stay as they are: who went back to them sees no step of these.
  const Tensor now = rows::make({batch}, DType::i64);
  for (std::int64_t s = 0; s < batch; ++s) {
    rows::of_mutable<std::int64_t>(now)[static_cast<std::size_t>(s)] = count[s] + more.length[s];
  }
  cache.count = now;
}

Tensor cached_attention(const Tensor& q, const KeyCache& cache, const AttentionOptions& options) {
  const auto batch = q.shape()[0], room = cache.keys.shape()[1];
  const Sequences queries = samples_of(q);
  const auto count = rows::of<std::int64_t>(cache.count);
  const auto first = places(batch, room);
  extend::Index from(queries.rows), to(queries.rows);
  for (std::int64_t s = 0; s < batch; ++s) {
    for (std::int64_t i = 0; i < queries.length[s]; ++i) {
      const auto own = count[static_cast<std::size_t>(s)] - queries.length[s] + i;
      from[queries.first[s] + i] =
          options.window ? std::max<std::int64_t>(0, own - *options.window) : 0;
      to[queries.first[s] + i] = own + 1;
    }
  }
  const auto heads = q.shape()[2], dim = q.shape()[3], width = cache.values.shape()[3];
  const Tensor y = rows::make(q.shape().sub(0, 3) + Shape{width}, q.dtype(), q.mask());
  dispatch_real("attention", q.dtype(), [&]<class T>() {
    const kernels::AttentionProblem<T> p{
        .batch = batch,
        .heads = heads,
        .kv_heads = cache.keys.shape()[2],
        .dim = dim,
        .dim_v = width,
        .scale = static_cast<T>(options.scale.value_or(1 / std::sqrt(static_cast<double>(dim)))),
        .query_first = queries.first.data(),
        .query_count = queries.length.data(),
        .key_first = first.data(),
        .key_count = count.data(),
        .from = from.data(),
        .to = to.data(),
        .q = rows::of<T>(q).data(),
        .k = rows::of<T>(cache.keys).data(),
        .v = rows::of<T>(cache.values).data()};
    T* out = rows::of_mutable<T>(y).data();
    if (queries.rows <= most_decoded * batch) return kernels::attention_decode(p, out);
    extend::Pooled<T> log_sum(queries.rows * heads);
    kernels::attention_forward(p, out, log_sum.data());
  });
  return y;
}

}  // namespace maskgrad::detail
