#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include <maskgrad/core/io/place.hpp>

namespace maskgrad::detail {

/// The bytes of a file, or of memory, read by position; the size is the one at opening.
class ByteSource {
 public:
  ByteSource(const std::filesystem::path& path, std::string_view where);
  /// The memory must outlive the source.
  ByteSource(std::span<const std::byte> bytes, std::string_view name, std::string_view where);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  std::uint64_t size() const { return size_; }
  const Place& place() const { return place_; }

  /// Fills `to` from `offset` on; FileError where the file ends before.
  void read_at(std::uint64_t offset, std::span<std::byte> to) const;

 private:
  void read_file(std::uint64_t offset, std::span<std::byte> to) const;

  Place place_;
  std::uint64_t size_ = 0;
  std::span<const std::byte> memory_;
  int descriptor_ = -1;
};

/// Bytes read from front to back.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Fills `to`; FileError where the stream ends before.
  virtual void read(std::span<std::byte> to) = 0;
  /// To be called when everything was read: checks what only the end can show.
  virtual void finish() {}

  virtual const Place& place() const = 0;
  /// Where the next byte comes from, for messages.
  virtual std::uint64_t position() const = 0;
  /// How many bytes are left.
  virtual std::uint64_t left() const = 0;
};

/// A stretch of a ByteSource, which must outlive it.
class SourceStream final : public ByteStream {
 public:
  SourceStream(const ByteSource& source, std::uint64_t begin, std::uint64_t end)
      : source_(source), at_(begin), end_(end) {}

  void read(std::span<std::byte> to) override;
  const Place& place() const override { return source_.place(); }
  std::uint64_t position() const override { return at_; }
  std::uint64_t left() const override { return end_ - at_; }

 private:
  const ByteSource& source_;
  std::uint64_t at_, end_;
};

}  // namespace maskgrad::detail
