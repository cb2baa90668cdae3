#include <maskgrad/core/io/zip_single.hpp>

#include <algorithm>
#include <cstring>

namespace maskgrad::detail {
namespace {

void put(std::string& to, std::uint64_t value, int width) {
  for (; width > 0; --width, value >>= 8) to += static_cast<char>(value & 255);
}

constexpr std::uint32_t not_here32 = 0xFFFFFFFF;
constexpr std::size_t single_central_size = 46 + 1 + 20;

// A directory of one entry called "e", with 64-bit sizes.
std::string central_record(const ZipEntry& entry) {
  std::string made;
  put(made, 0x02014b50, 4);
  put(made, 45 | 45 << 16, 4);                                   // versions
  put(made, static_cast<std::uint64_t>(entry.method) << 16, 4);  // no flags; method
  put(made, 0x21 << 16, 4);                                      // 1 January 1980
  put(made, entry.checksum, 4);
  put(made, not_here32, 4);
  put(made, not_here32, 4);
  put(made, 1 | 20 << 16, 4);         // lengths of name and extra field
  put(made, 0, 10);                   // no comment, disk 0, no attributes
  put(made, single_central_size, 4);  // where the entry's own header is: right behind this
  made += 'e';
  put(made, 1 | 16 << 16, 4);
  put(made, entry.size, 8);
  put(made, entry.packed, 8);
  return made;
}

std::string local_record(const ZipEntry& entry) {
  std::string made;
  put(made, 0x04034b50, 4);
  put(made, 45, 2);
  put(made, static_cast<std::uint64_t>(entry.method) << 16, 4);
  put(made, 0x21 << 16, 4);
  put(made, entry.checksum, 4);
  put(made, not_here32, 4);
  put(made, not_here32, 4);
  put(made, 1, 4);
  return made + 'e';
}

std::string end_record() {
  std::string made;
  put(made, 0x06054b50, 4);
  put(made, 0, 4);
  put(made, 1 | 1 << 16, 4);
  put(made, single_central_size, 4);
  put(made, 0, 6);  // the directory begins at 0; no comment
  return made;
}

}  // namespace

SingleZip::SingleZip(const ByteSource& source, const ZipEntry& entry)
    : source_(source),
      front_(central_record(entry) + local_record(entry)),
      end_(end_record()),
      data_(entry.data),
      end_of_data_(front_.size() + entry.packed),
      begin_of_end_(end_of_data_ + zeros),
      size_(begin_of_end_ + end_.size()) {}

std::size_t SingleZip::read_part(std::span<std::byte> to) const {
  const auto first = [&](std::uint64_t end) {
    return to.first(static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), end - at_)));
  };
  if (at_ < front_.size()) {
    const auto part = first(front_.size());
    std::memcpy(part.data(), front_.data() + at_, part.size());
    return part.size();
  }
  if (at_ < end_of_data_) {
    const auto part = first(end_of_data_);
    source_.read_at(data_ + (at_ - front_.size()), part);
    return part.size();
  }
  if (at_ < begin_of_end_) {
    const auto part = first(begin_of_end_);
    std::fill(part.begin(), part.end(), std::byte{0});
    return part.size();
  }
  const auto part = first(size_);
  std::memcpy(part.data(), end_.data() + (at_ - begin_of_end_), part.size());
  return part.size();
}

zip_int64_t SingleZip::read(std::span<std::byte> to) {
  zip_int64_t total = 0;
  try {
    while (!to.empty() && at_ < size_) {
      const auto got = read_part(to);
      to = to.subspan(got);
      at_ += got;
      total += static_cast<zip_int64_t>(got);
    }
  } catch (...) {
    thrown = std::current_exception();
    zip_error_set(&error_, ZIP_ER_READ, 0);
    return -1;
  }
  return total;
}

zip_int64_t SingleZip::serve(void* data, zip_uint64_t size, zip_source_cmd_t command) {
  switch (command) {
    case ZIP_SOURCE_OPEN:
      at_ = 0;
      return 0;
    case ZIP_SOURCE_READ:
      return read({static_cast<std::byte*>(data), static_cast<std::size_t>(size)});
    case ZIP_SOURCE_STAT: {
      auto* facts = static_cast<zip_stat_t*>(data);
      zip_stat_init(facts);
      facts->valid |= ZIP_STAT_SIZE;
      facts->size = size_;
      return sizeof(zip_stat_t);
    }
    case ZIP_SOURCE_SEEK: {
      const auto to = zip_source_seek_compute_offset(at_, size_, data, size, &error_);
      if (to < 0) return -1;
      at_ = static_cast<std::uint64_t>(to);
      return 0;
    }
    case ZIP_SOURCE_TELL:
      return static_cast<zip_int64_t>(at_);
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&error_, data, size);
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(
          ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
          ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS, -1);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
      return 0;
    default:
      zip_error_set(&error_, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

}  // namespace maskgrad::detail
