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

Tensor taken_item(Tensor x, const std::vector<ItemPiece>& pieces) {
  int axis = 0;
  for (const auto& piece : pieces) {
    if (piece.index) {
      x = select(x, axis, *piece.index);
      continue;
    }
    if (!piece.whole()) x = slice(x, axis, piece.start, piece.stop, piece.step);
    ++axis;
  }
  return x;
}

}  // namespace maskgrad::detail
