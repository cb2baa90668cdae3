#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <maskgrad/core/tensor.hpp>
#include <maskgrad/layers/keras/config.hpp>

namespace maskgrad::detail {

/// One piece of x[:, -1, 2:]: an index, or from, to and step, or `...`, or a new axis.
struct ItemPiece {
  std::optional<std::int64_t> index = {};
  std::int64_t start = 0, stop = std::numeric_limits<std::int64_t>::max(), step = 1;
  bool rest = false, new_axis = false;
  bool whole() const {
    return !index && !new_axis && start == 0 && step == 1 &&
           stop == std::numeric_limits<std::int64_t>::max();
  }
};

/// What the key of a GetItem says; none for what is not of this kind.
std::optional<std::vector<ItemPiece>> pieces_of(const Json& key);
Tensor taken_item(Tensor x, const std::vector<ItemPiece>& pieces);

}  // namespace maskgrad::detail
