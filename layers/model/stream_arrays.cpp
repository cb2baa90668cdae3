#include <maskgrad/layers/model/stream_arrays.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/layers/model/saved_values.hpp>

namespace maskgrad::detail {
namespace {

using Counts = std::vector<std::int64_t>;

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The steps that are counted, and zeros in the room behind them.
Tensor without_room(const Tensor& kept, const Counts& count) {
  const Mask there = Mask::from_lengths(count, kept.shape()[1]);
  return with_mask(kept.value(), there).drop_mask("room behind steps");
}

/// How many steps of each sequence are among so many rows; empty where they are not.
Counts lengths_in(const Array& array, std::int64_t rows) {
  if (array.dtype != DType::i64 || array.shape.size() != 1) return {};
  const auto values = array.values<std::int64_t>();
  std::int64_t left = rows;
  for (const auto n : values) {
    if (n < 0 || n > left) return {};
    left -= n;
  }
  return left == 0 ? Counts(values.begin(), values.end()) : Counts();
}

}  // namespace

void StreamArraysOut::add(const std::string& name, const Tensor& x) {
  const int mask_rank = rows::mask_rank(x);
  if (mask_rank > 2) {
    fail<OptionError>("Stream, save_state",
                      "'{}' is {}, under a mask over more than steps, which no file of a stream "
                      "keeps",
                      name, x.describe());
  }
  arrays_.push_back({name, array_of(mask_rank == 0 ? x.value() : rows::stored(x.value()))});
  if (mask_rank == 1) {
    arrays_.push_back({name + ":valid", array_of(tensor(x.mask().to_vector(), x.mask().shape()))});
  }
  if (mask_rank != 2) return;
  add_counts(name + ":steps", x.mask().lengths());
  if (x.shape()[1] == 1) notes_.single.push_back(name);
}

void StreamArraysOut::add(const std::string& name, const Tensors& xs) {
  for (std::size_t k = 0; k < xs.size(); ++k) add(fmt::format("{}/{}", name, k), xs[k]);
}

void StreamArraysOut::add_counts(const std::string& name, const Counts& counts) {
  arrays_.push_back({name, array_of(tensor(counts, {std::ssize(counts)}))});
}

void StreamArraysOut::add_slot(const std::string& place, const extend::StreamSlot& slot) {
  if (slot.tensors.empty()) return;
  notes_.slots.push_back(place);
  Tensors kept = slot.tensors;
  if (slot.room) {
    notes_.rooms.push_back(place);
    const auto count = kept.back().to_vector<std::int64_t>();
    for (std::size_t k = 0; k + 1 < kept.size(); ++k) kept[k] = without_room(kept[k], count);
  }
  add("slot/" + place, kept);
  if (slot.begins.empty()) return;
  add_counts("begins/" + place, {slot.begins.begin(), slot.begins.end()});
}

StreamArraysIn::StreamArraysIn(const std::filesystem::path& path, const NamedArrays& arrays,
                               const StreamNotes& notes)
    : path_(path), notes_(notes) {
  for (const auto& a : arrays) left_.emplace(a.name, &a.array);
}

void StreamArraysIn::refuse(const std::string& name, std::string_view expected) const {
  fail<FileError>("Stream, load_state", "{}: '{}' is not as it was written; expected {}",
                  path_.string(), name, expected);
}

const Array* StreamArraysIn::find(const std::string& name) {
  const auto at = left_.find(name);
  if (at == left_.end()) return nullptr;
  const Array* array = at->second;
  left_.erase(at);
  return array;
}

Mask StreamArraysIn::steps(const Counts& lengths, std::int64_t time) {
  constexpr std::size_t most = 32;  // looked at, which is more than honest streams have
  const auto same = std::find_if(masks_.begin(), masks_.end(), [&](const Mask& m) {
    return m.shape()[1] == time && m.lengths() == lengths;
  });
  if (same != masks_.end()) return *same;
  const Mask made = Mask::from_lengths(lengths, time);
  if (masks_.size() < most) masks_.push_back(made);
  return made;
}

Tensor StreamArraysIn::read(const std::string& name, const Array& array) {
  const Tensor stored = tensor_of(array);
  const auto *steps_there = find(name + ":steps"), *valid = find(name + ":valid");
  if (!steps_there && !valid) return stored;
  if (stored.rank() == 0) refuse(name, "rows under a mask");
  const auto rest = stored.shape().sub(1, stored.rank());
  const auto rows = stored.shape()[0];
  if (steps_there) {
    const auto lengths = lengths_in(*steps_there, rows);
    if (std::ssize(lengths) != notes_.sequences) {
      refuse(name + ":steps", "the steps of each sequence, which are its rows");
    }
    const auto longest = *std::max_element(lengths.begin(), lengths.end());
    const auto time = contains(notes_.single, name) ? std::max<std::int64_t>(1, longest) : longest;
    const Mask mask = steps(lengths, time);
    return rows::share(stored, mask.shape() + rest, mask);
  }
  if (valid->dtype != DType::boolean || valid->shape != Counts{notes_.sequences}) {
    refuse(name + ":valid", "whether each sequence has a row");
  }
  const Mask mask = Mask::keep(tensor_of(*valid));
  if (mask.valid() != rows) refuse(name + ":valid", "a row for each sequence that has one");
  return rows::share(stored, mask.shape() + rest, mask);
}

Tensors StreamArraysIn::all(const std::string& name) {
  Tensors xs;
  for (;;) {
    const auto own = fmt::format("{}/{}", name, xs.size());
    const Array* array = find(own);
    if (!array) return xs;
    xs.push_back(read(own, *array));
  }
}

Counts StreamArraysIn::counts(const std::string& name) {
  const Array* array = find(name);
  if (!array) return {};
  if (array->dtype != DType::i64 || array->shape != Counts{notes_.sequences}) {
    refuse(name, "a number for each sequence");
  }
  const auto values = array->values<std::int64_t>();
  return {values.begin(), values.end()};
}

extend::StreamSlot StreamArraysIn::slot(const std::string& place) {
  extend::StreamSlot slot;
  slot.tensors = all("slot/" + place);
  if (slot.tensors.empty()) refuse("slot/" + place, "what is kept there");
  slot.room = contains(notes_.rooms, place);
  for (const auto begins : counts("begins/" + place)) slot.begins.push_back(begins != 0);
  return slot;
}

void StreamArraysIn::finish() const {
  if (!left_.empty()) refuse(std::string(left_.begin()->first), "no such array");
}

}  // namespace maskgrad::detail
