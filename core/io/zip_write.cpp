#include <maskgrad/core/io/zip_write.hpp>

#include <zip.h>

#include <algorithm>
#include <array>
#include <memory>

#include <maskgrad/core/error.hpp>
#include <maskgrad/core/io/bytes.hpp>

namespace maskgrad::detail {
namespace {

struct FreeSource {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};

[[noreturn]] void refuse(std::string_view where, const char* reason) {
  fail<FileError>(where, "the zip file cannot be made ({}); free memory or write less", reason);
}

void add(std::string_view where, zip_t* archive, const ZipPart& part, bool deflate) {
  const auto fragment = [](std::span<const std::byte> bytes) {
    // libzip takes it as changeable and only reads it.
    auto* data = const_cast<std::byte*>(bytes.data());
    return zip_buffer_fragment_t{reinterpret_cast<zip_uint8_t*>(data), bytes.size()};
  };
  zip_buffer_fragment_t fragments[] = {fragment(part.front), fragment(part.back)};
  auto* source = zip_source_buffer_fragment(archive, fragments, part.back.empty() ? 1 : 2, 0);
  if (!source) refuse(where, zip_strerror(archive));
  const auto index = zip_file_add(archive, part.name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    refuse(where, zip_strerror(archive));
  }
  const auto at = static_cast<zip_uint64_t>(index);
  const auto method = deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE;
  constexpr zip_uint16_t first_of_1980 = 0x21;
  if (zip_set_file_compression(archive, at, method, 0) < 0 ||
      zip_file_set_dostime(archive, at, 0, first_of_1980, 0) < 0) {
    refuse(where, zip_strerror(archive));
  }
}

void hand_over(std::string_view where, zip_source_t* made,
               const std::function<void(std::span<const std::byte>)>& sink) {
  if (zip_source_open(made) < 0) refuse(where, zip_error_strerror(zip_source_error(made)));
  std::vector<std::byte> buffer(65536);
  for (;;) {
    const auto got = zip_source_read(made, buffer.data(), buffer.size());
    if (got < 0) refuse(where, zip_error_strerror(zip_source_error(made)));
    if (got == 0) break;
    sink({buffer.data(), static_cast<std::size_t>(got)});
  }
  zip_source_close(made);
}

}  // namespace

void write_zip(std::string_view where, std::span<const ZipPart> parts, bool deflate,
               const std::function<void(std::span<const std::byte>)>& sink) {
  if (parts.empty()) {
    // libzip makes no file of nothing; an end record alone is one, as numpy.savez writes it.
    constexpr std::string_view end("PK\5\6", 4);
    std::array<std::byte, 22> record{};
    std::copy_n(as_bytes(end).begin(), end.size(), record.begin());
    return sink(record);
  }
  std::unique_ptr<zip_source_t, FreeSource> made(zip_source_buffer_create(nullptr, 0, 0, nullptr));
  if (!made) refuse(where, "no memory");
  std::unique_ptr<zip_t, Discard> archive(
      zip_open_from_source(made.get(), ZIP_CREATE | ZIP_TRUNCATE, nullptr));
  if (!archive) refuse(where, "no memory");
  zip_source_keep(made.get());  // the archive owns one reference, `made` the other
  for (const auto& part : parts) add(where, archive.get(), part, deflate);
  if (zip_close(archive.get()) < 0) refuse(where, zip_strerror(archive.get()));
  archive.release();
  hand_over(where, made.get(), sink);
}

}  // namespace maskgrad::detail
