#include <algorithm>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/layers/keras/item_pieces.hpp>

namespace maskgrad::detail {

std::optional<std::vector<ItemPiece>> pieces_of(const Json& key) {
  const Json* list = &key;
  if (key.is_object() && config_text(key, "class_name") == "__tuple__")
    list = config_at(key, "items");
  if (!list) return {};
  const Json one = list->is_array() ? *list : Json::array({*list});
  std::vector<ItemPiece> pieces;
  for (const auto& item : one) {
    ItemPiece piece;
    if (const auto number = whole_number(item)) {
      piece.index = *number;
    } else if (item.is_null()) {
      piece.new_axis = true;
    } else if (config_text(item, "class_name") == "__ellipsis__" || item == "Ellipsis") {
      piece.rest = true;
    } else if (item.is_object()) {
      const Json* config = config_at(item, "config");
      const Json& c = config ? *config : item;
      piece.start = config_whole(c, "start").value_or(0);
      piece.stop = config_whole(c, "stop").value_or(piece.stop);
      piece.step = config_whole(c, "step").value_or(1);
    } else {
      return {};
    }
    pieces.push_back(piece);
  }
  return pieces;
}

namespace {
// As Python cuts: what lies outside is left out.
Tensor cut(const Tensor& x, int axis, const ItemPiece& piece) {
  const auto size = x.shape()[axis];
  if (size == any) return slice(x, axis, piece.start, piece.stop, piece.step);
  const auto inside = [size](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
  };
  const auto from = inside(piece.start), to = inside(piece.stop);
  return slice(x, axis, from, std::max(from, to), piece.step);
}
}  // namespace

Tensor taken_item(Tensor x, const std::vector<ItemPiece>& pieces) {
  int axis = 0;
  const auto taken = static_cast<int>(
      std::ranges::count_if(pieces, [](const ItemPiece& p) { return !p.rest && !p.new_axis; }));
  const int others = std::max(0, x.rank() - taken);
  for (const auto& piece : pieces) {
    if (piece.rest) {
      axis += others;
      continue;
    }
    if (piece.new_axis) {
      x = expand_dims(x, axis++);
      continue;
    }
    if (piece.index) {
      x = select(x, axis, *piece.index);
      continue;
    }
    if (!piece.whole()) x = cut(x, axis, piece);
    ++axis;
  }
  return x;
}

}  // namespace maskgrad::detail
