#pragma once

#include <vector>

#include <maskgrad/optim/data/batch.hpp>

namespace maskgrad::detail {

/// A batch whose sequences are cut into pieces along time.
class Segments {
 public:
  using Counts = std::vector<std::int64_t>;

  /// OptionError for inputs without steps, or of other lengths than the first one's.
  Segments(const Batch& batch, std::int64_t steps);

  std::int64_t count() const { return count_; }
  /// The steps of piece `k`.
  Tensors inputs(std::int64_t k) const;
  /// Of each sequence, whether the piece is its last one, or behind it.
  std::vector<bool> ends(std::int64_t k) const;
  /// The batch that belongs to outputs of a piece, before which `given` steps came.
  Batch part(Tensors inputs, const Tensors& outputs, bool by_steps, const Counts& given) const;

 private:
  Tensor piece(const Tensor& x, const Tensor& y, const Counts& given) const;

  const Batch& batch_;
  std::int64_t steps_, count_ = 1;
  Tensors inputs_;
  Counts lengths_;
};

}  // namespace maskgrad::detail
