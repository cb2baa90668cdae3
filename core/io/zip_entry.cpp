#include <maskgrad/core/io/zip_entry.hpp>

#include <maskgrad/core/io/zip_single.hpp>

namespace maskgrad::detail {

ZipEntryStream::ZipEntryStream(const ByteSource& source, const ZipEntry& entry)
    : place_{source.place().where, source.place().file + ", entry " + in_quotes(entry.name)},
      size_(entry.size),
      archive_(std::make_unique<SingleZip>(source, entry)) {
  zip_error_t error;
  zip_error_init(&error);
  auto* made = zip_source_function_create(&SingleZip::serve, archive_.get(), &error);
  if (made) {
    zip_ = zip_open_from_source(made, ZIP_RDONLY, &error);
    if (!zip_) zip_source_free(made);
  }
  if (zip_) file_ = zip_fopen_index(zip_, 0, 0);
  if (file_) {
    zip_error_fini(&error);
    return;
  }
  const std::string reason = zip_error_strerror(zip_ ? zip_get_error(zip_) : &error);
  zip_error_fini(&error);
  if (zip_) zip_discard(zip_);
  if (archive_->thrown) std::rethrow_exception(archive_->thrown);
  place_.refuse(0, "the entry cannot be opened ({}); write the file again", reason);
}

ZipEntryStream::~ZipEntryStream() {
  if (file_) zip_fclose(file_);
  if (zip_) zip_discard(zip_);
}

void ZipEntryStream::refuse() {
  if (archive_->thrown) std::rethrow_exception(archive_->thrown);
  auto* error = zip_file_get_error(file_);
  if (zip_error_code_zip(error) == ZIP_ER_CRC) {
    place_.refuse(at_,
                  "the checksum is not that of the directory; the file is damaged, make it again");
  }
  place_.refuse(at_, "the entry cannot be inflated ({}); the file is damaged, make it again",
                zip_error_strerror(error));
}

void ZipEntryStream::read(std::span<std::byte> to) {
  if (to.size() > left()) {
    place_.refuse(at_,
                  "{} bytes are needed here, but {} are left; the file was cut short, make it "
                  "again",
                  to.size(), left());
  }
  while (!to.empty()) {
    const auto got = zip_fread(file_, to.data(), to.size());
    if (got < 0) refuse();
    if (got == 0) {
      place_.refuse(at_,
                    "the entry ends here; expected {} bytes; the file is damaged, make it "
                    "again",
                    size_);
    }
    at_ += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

void ZipEntryStream::finish() {
  std::byte more;
  const auto got = zip_fread(file_, &more, 1);
  if (got < 0) refuse();
  if (got > 0) {
    place_.refuse(at_,
                  "the entry goes on here; expected its end after {} bytes; the file is "
                  "damaged, make it again",
                  size_);
  }
}

}  // namespace maskgrad::detail
