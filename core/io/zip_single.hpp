#pragma once

#include <zip.h>

#include <exception>

#include <maskgrad/core/io/zip_directory.hpp>

namespace maskgrad::detail {

/// The archive that libzip reads: directory, header, the entry's bytes, zeros, end record. It looks
/// for the end record in the last 65 KiB and takes anything that looks like one; the zeros fill
/// these, so that nothing in the entry's bytes can pass for an end record.
class SingleZip {
 public:
  /// `source` must outlive it.
  SingleZip(const ByteSource& source, const ZipEntry& entry);
  ~SingleZip() { zip_error_fini(&error_); }
  SingleZip(const SingleZip&) = delete;
  SingleZip& operator=(const SingleZip&) = delete;

  /// What went wrong in `source`; errors may not pass through C and wait here.
  std::exception_ptr thrown;

  /// libzip's callback, with this object as its first argument.
  static zip_int64_t serve(void* self, void* data, zip_uint64_t size, zip_source_cmd_t command) {
    return static_cast<SingleZip*>(self)->serve(data, size, command);
  }

 private:
  static constexpr std::uint64_t zeros = 128 * 1024;

  zip_int64_t serve(void* data, zip_uint64_t size, zip_source_cmd_t command);
  zip_int64_t read(std::span<std::byte> to);
  // Bytes of one of the four regions, as many as lie in it from here on.
  std::size_t read_part(std::span<std::byte> to) const;

  const ByteSource& source_;
  std::string front_, end_;
  std::uint64_t data_, end_of_data_, begin_of_end_, size_, at_ = 0;
  zip_error_t error_{};
};

}  // namespace maskgrad::detail
