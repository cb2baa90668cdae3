#pragma once

#include <span>
#include <string_view>

#include <maskgrad/optim/data/batch.hpp>

namespace maskgrad::data {

/// Steps first ... first + steps - 1 of a sequence.
struct Piece {
  std::int64_t sample = 0, first = 0, steps = 0;

  bool operator==(const Piece&) const = default;
};

/// Where the sequences of a data set come from. Immutable; threads may read at the same time.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::int64_t size() const = 0;
  virtual std::int64_t length(std::int64_t sample) const = 0;
  /// Which part (training, test, ...) a sequence is of; -1 where nothing says so.
  virtual std::int64_t part(std::int64_t) const { return -1; }
  /// Inputs, target and weight of the pieces, side by side.
  virtual Batch read(std::span<const Piece> pieces) const = 0;
  /// Refuses, from `where`, if sequences can only be read whole.
  virtual void check_cuts(std::string_view where) const = 0;

  Piece whole(std::int64_t sample) const { return {sample, 0, length(sample)}; }
};

}  // namespace maskgrad::data
