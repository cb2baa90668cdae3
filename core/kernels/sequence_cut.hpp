#pragma once

#include <algorithm>
#include <cstdint>

#include <maskgrad/core/threads.hpp>

namespace maskgrad::kernels {

/// Sequences whose rows stand one behind the other, `width` values each, and how work on them is
/// cut for threads: `groups` of whole sequences, of about as many rows each, times `blocks` of
/// values of a row.
class SequenceCut {
 public:
  struct Sizes {
    std::int64_t sequences, rows, width;
    const std::int64_t* first;
    const std::int64_t* length;
  };

  /// Blocks are `narrowest` to `widest` values wide. A shard takes `grain` values at least. The
  /// longest sequence takes as many blocks as make each a thirtieth of the work.
  SequenceCut(const Sizes& sizes, std::int64_t narrowest, std::int64_t widest, std::int64_t grain)
      : s_(sizes) {
    const auto shards = extend::shard_count(s_.rows * s_.width, grain);
    groups_ = std::clamp<std::int64_t>(s_.sequences, 1, shards);
    const auto least = (s_.width + widest - 1) / widest;
    const auto most = shards > 1 ? std::max(least, s_.width / narrowest) : least;
    std::int64_t longest = 0;
    for (std::int64_t s = 0; s < s_.sequences; ++s) longest = std::max(longest, s_.length[s]);
    blocks_ = std::clamp(30 * longest / std::max<std::int64_t>(1, s_.rows), least, most);
  }

  std::int64_t groups() const { return groups_; }
  std::int64_t blocks() const { return blocks_; }

  /// f(group, block, from, to) for values [from, to) of the rows of a group, on threads.
  template <class F>
  void each_shard(F&& f) const {
    extend::parallel_for(groups_ * blocks_, [&](std::int64_t shard) {
      const auto group = shard / blocks_, block = shard % blocks_;
      f(group, block, extend::shard_begin(s_.width, blocks_, block),
        extend::shard_begin(s_.width, blocks_, block + 1));
    });
  }
  /// f(sequence) for those of a group.
  template <class F>
  void each_sequence(std::int64_t group, F&& f) const {
    for (auto s = begin_of(group); s < begin_of(group + 1); ++s) f(s);
  }

 private:
  /// The first sequence that begins in a group's share of the rows; empty ones are somebody's too.
  std::int64_t begin_of(std::int64_t group) const {
    if (group == 0) return 0;
    if (group == groups_) return s_.sequences;
    const auto row = extend::shard_begin(s_.rows, groups_, group);
    return std::lower_bound(s_.first, s_.first + s_.sequences, row) - s_.first;
  }

  Sizes s_;
  std::int64_t groups_, blocks_;
};

}  // namespace maskgrad::kernels
