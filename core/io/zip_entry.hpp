#pragma once

#include <memory>

#include <maskgrad/core/io/zip_directory.hpp>

struct zip;
struct zip_file;

namespace maskgrad::detail {

class SingleZip;

/// The inflated bytes of an entry. libzip, which does the work and checks the checksum, never sees
/// the file's own structure: it is given an archive of this one entry with headers made here.
class ZipEntryStream final : public ByteStream {
 public:
  /// `source` must outlive the stream.
  ZipEntryStream(const ByteSource& source, const ZipEntry& entry);
  ~ZipEntryStream() override;
  ZipEntryStream(const ZipEntryStream&) = delete;
  ZipEntryStream& operator=(const ZipEntryStream&) = delete;

  void read(std::span<std::byte> to) override;
  /// Refuses more bytes than the directory said, and a wrong checksum.
  void finish() override;
  const Place& place() const override { return place_; }
  std::uint64_t position() const override { return at_; }
  std::uint64_t left() const override { return size_ - at_; }

 private:
  [[noreturn]] void refuse();

  Place place_;
  std::uint64_t size_, at_ = 0;
  std::unique_ptr<SingleZip> archive_;
  ::zip* zip_ = nullptr;
  ::zip_file* file_ = nullptr;
};

}  // namespace maskgrad::detail
