#include <maskgrad/core/mask.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/context.hpp>
#include <maskgrad/core/mask_rows.hpp>

namespace maskgrad {
namespace {

/// Steps of a sequence: the last mask axis; a mask of rank 0 is one position.
std::int64_t steps_of(const Shape& shape) {
  return shape.rank() ? shape.back() : 1;
}

std::vector<std::uint8_t> bits_of(const std::vector<bool>& valid, const Shape& shape, bool flip,
                                  std::string_view where) {
  if (shape.count() != static_cast<std::int64_t>(valid.size())) {
    fail<ShapeError>(where, "{} truth values for the shape {}, which has {} positions",
                     valid.size(), shape, shape.count());
  }
  std::vector<std::uint8_t> bits(valid.size());
  for (std::size_t i = 0; i < valid.size(); ++i) bits[i] = valid[i] != flip;
  return bits;
}

}  // namespace

const extend::Index& Mask::Impl::row_of() const {
  std::call_once(row_of_once_, [this] {
    extend::Index rows(shape.count());
    std::fill(rows.begin(), rows.end(), std::int64_t{-1});
    for (std::int64_t r = 0; r < valid; ++r) rows[positions[r]] = r;
    row_of_ = rows;
  });
  return row_of_;
}

const Shape& Mask::shape() const {
  if (!impl_) fail<MaskError>("Mask", "there is no mask here; ask has_mask() first");
  return impl().shape;
}

std::int64_t Mask::valid() const {
  if (!impl_) fail<MaskError>("Mask", "there is no mask here; ask has_mask() first");
  if (impl().meta) {
    fail<StateError>("Mask", "the mask {} of a meta tensor has no positions", impl().shape);
  }
  return impl().valid;
}

bool Mask::at(std::initializer_list<std::int64_t> position) const {
  const auto& s = shape();
  if (static_cast<int>(position.size()) != s.rank()) {
    fail<ShapeError>("Mask::at", "{} indices for a mask of shape {}; expected one for each axis",
                     position.size(), s);
  }
  valid();
  std::int64_t flat = 0;
  int axis = 0;
  for (auto i : position) {
    if (i < 0 || i >= s[axis]) {
      fail<IndexError>("Mask::at", "index {} on axis {} of a mask of shape {}", i, axis, s);
    }
    flat = flat * s[axis++] + i;
  }
  return impl().row_of()[flat] >= 0;
}

std::vector<bool> Mask::to_vector() const {
  valid();
  auto bits = checked::vector<bool>("Mask::to_vector", shape().count());
  for (auto p : impl().positions) bits[static_cast<std::size_t>(p)] = true;
  return bits;
}

std::vector<std::int64_t> Mask::lengths() const {
  valid();
  return {impl().length.begin(), impl().length.end()};
}

const std::string& Mask::origin() const {
  shape();
  return impl().origin;
}

bool Mask::operator==(const Mask& other) const {
  if (same(other)) return true;
  if (!impl_ || !other.impl_ || shape() != other.shape() || impl().meta || other.impl().meta) {
    return false;
  }
  return std::equal(impl().positions.begin(), impl().positions.end(),
                    other.impl().positions.begin(), other.impl().positions.end());
}

Mask Mask::keep(const std::vector<bool>& valid, const Shape& shape) {
  return masks::from_bits(bits_of(valid, shape, false, "Mask::keep"), shape,
                          masks::origin_here("Mask::keep"));
}

Mask Mask::drop(const std::vector<bool>& padding, const Shape& shape) {
  return masks::from_bits(bits_of(padding, shape, true, "Mask::drop"), shape,
                          masks::origin_here("Mask::drop"));
}

Mask Mask::keep(std::initializer_list<std::initializer_list<bool>> valid) {
  const auto rows = static_cast<std::int64_t>(valid.size());
  const auto steps = rows ? static_cast<std::int64_t>(valid.begin()->size()) : 0;
  std::vector<std::uint8_t> bits;
  for (const auto& row : valid) {
    if (static_cast<std::int64_t>(row.size()) != steps) {
      fail<ShapeError>("Mask::keep", "rows of {} and of {} truth values; expected the same number",
                       steps, row.size());
    }
    bits.insert(bits.end(), row.begin(), row.end());
  }
  return masks::from_bits(bits, {rows, steps}, masks::origin_here("Mask::keep"));
}

Mask Mask::from_lengths(std::initializer_list<std::int64_t> lengths, std::int64_t time) {
  return from_lengths(std::span(lengths.begin(), lengths.size()), time);
}

Mask Mask::from_lengths(std::span<const std::int64_t> lengths, std::int64_t time) {
  return masks::from_lengths(lengths, time, masks::origin_here("Mask::from_lengths"));
}

Mask masks::from_lengths(std::span<const std::int64_t> lengths, std::int64_t time,
                         std::string origin) {
  if (time == any) {
    time = lengths.empty() ? 0 : std::max<std::int64_t>(0, *std::ranges::max_element(lengths));
  }
  const auto batch = static_cast<std::int64_t>(lengths.size());
  auto impl = detail::make_ref<Mask::Impl>();
  impl->shape = {batch, time};
  checked::product("Mask::from_lengths", "sequences and steps",
                   {batch, std::max<std::int64_t>(0, time)});
  impl->first = extend::Index(batch);
  impl->length = extend::Index(batch);
  for (std::int64_t s = 0; s < batch; ++s) {
    const auto n = lengths[static_cast<std::size_t>(s)];
    if (n < 0 || n > time) {
      fail<ShapeError>("Mask::from_lengths", "sequence {} has length {}; expected 0 to {} steps", s,
                       n, time);
    }
    impl->first[s] = impl->valid;
    impl->length[s] = n;
    impl->valid += n;
  }
  impl->positions = extend::Index(impl->valid);
  std::int64_t row = 0;
  for (std::int64_t s = 0; s < batch; ++s) {
    for (std::int64_t t = 0; t < impl->length[s]; ++t) impl->positions[row++] = s * time + t;
  }
  impl->origin = std::move(origin);
  return Mask(detail::Ref<const detail::Counted>(impl));
}

namespace masks {

std::string origin_here(std::string_view otherwise) {
  const auto* layer = extend::LayerScope::current();
  return layer ? layer->title() : std::string(otherwise);
}

Mask from_bits(std::span<const std::uint8_t> bits, const Shape& shape, std::string origin) {
  const auto steps = steps_of(shape);
  const auto total = static_cast<std::int64_t>(bits.size());
  std::int64_t sequences = shape.rank() ? shape.count(0, shape.rank() - 1) : 1;
  auto impl = detail::make_ref<Mask::Impl>();
  impl->shape = shape;
  impl->origin = std::move(origin);
  impl->valid = std::count_if(bits.begin(), bits.end(), [](auto b) { return b != 0; });
  impl->positions = extend::Index(impl->valid);
  impl->first = extend::Index(sequences);
  impl->length = extend::Index(sequences);
  std::int64_t row = 0, p = 0;
  for (std::int64_t s = 0; s < sequences; ++s) {
    impl->first[s] = row;
    for (std::int64_t t = 0; t < steps && p < total; ++t, ++p) {
      if (bits[static_cast<std::size_t>(p)]) impl->positions[row++] = p;
    }
    impl->length[s] = row - impl->first[s];
  }
  return Mask(detail::Ref<const detail::Counted>(impl));
}

Mask meta(const Shape& shape, std::string origin, bool possible) {
  auto impl = detail::make_ref<Mask::Impl>();
  impl->shape = shape;
  impl->meta = true;
  impl->possible = possible;
  impl->origin = std::move(origin);
  return Mask(detail::Ref<const detail::Counted>(impl));
}

bool is_meta(const Mask& m) {
  return m && m.impl().meta;
}
bool is_possible(const Mask& m) {
  return m && m.impl().possible;
}

Mask all(const Shape& shape, std::string origin) {
  return from_bits(checked::vector<std::uint8_t>("Mask", shape.count(), 1), shape,
                   std::move(origin));
}

}  // namespace masks
}  // namespace maskgrad
