#include <maskgrad/core/io/array_rows.hpp>

#include <maskgrad/core/io/crc_watch.hpp>
#include <maskgrad/core/io/file_kinds.hpp>
#include <maskgrad/core/io/npy_format.hpp>
#include <maskgrad/core/io/room.hpp>

namespace maskgrad::detail {

struct ArrayRows::Parts {
  std::shared_ptr<const ByteSource> source;
  std::uint64_t offset = 0;
  Layout layout;
  Place place;
  bool in_file = false;
  std::shared_ptr<CrcWatch> watch;     // of the elements; null where there is no checksum
  std::vector<std::byte> loaded;       // what `source` reads, where it was loaded
  std::shared_ptr<const void> keeper;  // of memory that is someone else's
};

namespace {

std::int64_t width_of(const std::vector<std::int64_t>& shape) {
  std::int64_t width = 1;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) width *= shape[axis];
  return width;
}

FileType file_type(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return FileType::f64;
    case DType::i64:
      return FileType::i64;
    case DType::boolean:
      return FileType::boolean;
    default:
      return FileType::f32;
  }
}

/// `value` as a To; false where that is another number.
template <class To, class From>
bool convert(From value, To& to) {
  if constexpr (extend::Real<To>) {
    to = static_cast<To>(value);
    return true;
  } else if constexpr (extend::Real<From>) {
    constexpr auto limit = static_cast<From>(0x1p63);
    if (!(value >= -limit && value < limit)) return false;
    to = static_cast<To>(value);
    return static_cast<From>(to) == value;
  } else {
    to = static_cast<To>(value);
    return static_cast<std::int64_t>(to) == static_cast<std::int64_t>(value);
  }
}

/// Elements first ... first + count - 1, in parts of 64 KiB so that nothing is held twice.
template <class Kind, class To, class Saw>
void read_as(const ByteSource& source, const Layout& layout, const Place& place,
             std::uint64_t offset, std::size_t count, To* to, const Saw& saw) {
  using Raw = typename Kind::Raw;
  constexpr std::size_t part = 65536 / sizeof(Raw);
  std::vector<std::byte> buffer(std::min(count, part) * sizeof(Raw));
  while (count > 0) {
    const auto now = std::min(count, part);
    source.read_at(offset, {buffer.data(), now * sizeof(Raw)});
    saw(offset, std::span<const std::byte>(buffer.data(), now * sizeof(Raw)));
    for (std::size_t i = 0; i < now; ++i) {
      const auto raw = raw_at<Raw>(buffer.data() + i * sizeof(Raw), layout.big_endian);
      const auto at = offset + i * sizeof(Raw);
      check_value<Kind>(raw, layout.type, at, place);
      const auto value = Kind::convert(raw);
      if (!convert(value, to[i])) {
        place.refuse(at, "the element {} is no {}; expected {}; choose another type for it", value,
                     name(dtype_of<To>()), std::is_same_v<To, bool> ? "0 or 1" : "a whole number");
      }
    }
    to += now;
    count -= now;
    offset += now * sizeof(Raw);
  }
}

/// Elements in Fortran order brought into C order, whatever their type.
std::vector<std::byte> in_c_order(const std::vector<std::byte>& from, const Layout& layout) {
  const auto size = size_of(layout.type);
  std::vector<std::byte> made(from.size());
  FortranWalk walk(layout.shape);
  for (std::size_t at = 0; at < from.size(); at += size, walk.step()) {
    std::memcpy(made.data() + static_cast<std::size_t>(walk.place()) * size, from.data() + at,
                size);
  }
  return made;
}

}  // namespace

ArrayRows::ArrayRows(DType dtype, std::vector<std::int64_t> shape, std::span<const std::byte> bytes,
                     std::shared_ptr<const void> keeper, std::string name)
    : shape_(std::move(shape)), width_(width_of(shape_)) {
  auto parts = std::make_shared<Parts>();
  parts->source = std::make_shared<ByteSource>(bytes, name, "read");
  parts->layout = {file_type(dtype), false, false, shape_};
  parts->place = parts->source->place();
  parts->keeper = std::move(keeper);
  parts_ = std::move(parts);
}

ArrayRows::ArrayRows(std::shared_ptr<const ByteSource> source, std::uint64_t offset,
                     const Layout& layout, std::string name, std::shared_ptr<CrcWatch> watch)
    : shape_(layout.shape), width_(width_of(shape_)) {
  auto parts = std::make_shared<Parts>();
  parts->place = {source->place().where, std::move(name)};
  parts->source = std::move(source);
  parts->offset = offset;
  parts->watch = std::move(watch);
  parts->layout = layout;
  parts->in_file = true;
  parts_ = std::move(parts);
}

ArrayRows::ArrayRows(ByteStream& in, const Layout& layout)
    : shape_(layout.shape), width_(width_of(shape_)) {
  auto parts = std::make_shared<Parts>();
  parts->place = in.place();
  const auto size = in.left();
  with_room(in.place(), layout.fortran ? 2 * size : size, [&] { parts->loaded.resize(size); });
  in.read(parts->loaded);
  in.finish();
  if (layout.fortran) parts->loaded = in_c_order(parts->loaded, layout);
  parts->layout = layout;
  parts->layout.fortran = false;
  parts->source = std::make_shared<ByteSource>(parts->loaded, in.place().file, in.place().where);
  parts_ = std::move(parts);
}

const ArrayRows::Parts& ArrayRows::parts() const {
  if (!parts_) fail<StateError>("ArrayRows", "it is empty (default-made); read a file first");
  return *parts_;
}
DType ArrayRows::dtype() const {
  return target(parts().layout.type);
}
bool ArrayRows::in_file() const {
  return parts().in_file;
}
const std::string& ArrayRows::name() const {
  return parts().place.file;
}

void ArrayRows::read(std::int64_t first, std::int64_t count, DType dtype, std::byte* to) const {
  const auto& p = parts();
  if (first < 0 || count < 0 || count > rows() - first) {
    fail<IndexError>("ArrayRows", "rows {} to {} of {}, which has {}", first, first + count,
                     p.place.file, rows());
  }
  const auto elements = static_cast<std::size_t>(count * width_);
  const auto begin = p.offset + static_cast<std::uint64_t>(first * width_) * size_of(p.layout.type);
  const auto saw = [&p](std::uint64_t at, std::span<const std::byte> bytes) {
    if (p.watch) p.watch->saw(at - p.offset, bytes, p.place);
  };
  const bool same = p.layout.type == file_type(dtype) && !p.layout.big_endian;
  if (same && dtype != DType::boolean) {
    p.source->read_at(begin, {to, elements * size_of(dtype)});
    saw(begin, {to, elements * size_of(dtype)});
    return;
  }
  dispatch_file(p.layout.type, [&]<class Kind>() {
    extend::dispatch(dtype, [&]<class To>() {
      read_as<Kind>(*p.source, p.layout, p.place, begin, elements, reinterpret_cast<To*>(to), saw);
    });
  });
}

Array ArrayRows::read_all() const {
  Array made{dtype(), shape_, {}};
  const auto size = static_cast<std::size_t>(made.size()) * size_of(made.dtype);
  with_room(parts().place, size, [&] { made.bytes.resize(size); });
  read(0, rows(), made.dtype, made.bytes.data());
  return made;
}

ArrayRows ArrayRows::merged() const {
  const auto& file = name();  // throws where it is empty
  if (shape_.size() < 2) {
    fail<ShapeError>("ArrayRows",
                     "{} has {} axes; expected two or more, to make one of the first two", file,
                     shape_.size());
  }
  ArrayRows made = *this;
  made.shape_.erase(made.shape_.begin());
  made.shape_[0] *= shape_[0];
  made.width_ = width_of(made.shape_);
  return made;
}

ArrayRows npy_rows(const std::filesystem::path& path) {
  auto source = std::make_shared<ByteSource>(path, "read_npy");
  SourceStream in(*source, 0, source->size());
  const auto layout = read_npy_layout(in);
  check_npy_size(layout, in);
  if (layout.fortran) return {in, layout};
  return {source, in.position(), layout, source->place().file};
}

std::vector<std::string> npy_texts(const std::filesystem::path& path) {
  const ByteSource source(path, "read_npy");
  SourceStream in(source, 0, source.size());
  return read_npy_texts(in);
}

}  // namespace maskgrad::detail
