#include <maskgrad/core/io/byte_source.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace maskgrad::detail {
namespace {

std::string reason(int error) {
  return std::system_category().message(error);
}

}  // namespace

ByteSource::ByteSource(const std::filesystem::path& path, std::string_view where)
    : place_{std::string(where), path.string()} {
  // Not blocking: opening a pipe that nobody writes to would wait forever.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    fail<FileError>(where, "{} cannot be opened ({}); give a file that exists and may be read",
                    place_.file, reason(errno));
  }
  struct stat facts {};
  const int error = ::fstat(descriptor_, &facts) == 0 ? 0 : errno;
  if (error == 0 && S_ISREG(facts.st_mode)) {
    size_ = static_cast<std::uint64_t>(facts.st_size);
    return;
  }
  ::close(descriptor_);
  fail<FileError>(where, "{} is {}; give the path of a regular file", place_.file,
                  error != 0               ? reason(error)
                  : S_ISDIR(facts.st_mode) ? "a folder"
                                           : "a pipe or a device");
}

ByteSource::ByteSource(std::span<const std::byte> bytes, std::string_view name,
                       std::string_view where)
    : place_{std::string(where), std::string(name)}, size_(bytes.size()), memory_(bytes) {}

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ByteSource::read_at(std::uint64_t offset, std::span<std::byte> to) const {
  if (to.empty()) return;
  if (offset > size_ || to.size() > size_ - offset) {
    place_.refuse(offset,
                  "{} bytes are needed here, but the file ends at byte {}; it was cut short, make "
                  "it again",
                  to.size(), size_);
  }
  if (descriptor_ >= 0) return read_file(offset, to);
  std::memcpy(to.data(), memory_.data() + offset, to.size());
}

void ByteSource::read_file(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const auto got = ::pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      place_.refuse(offset, "reading failed ({}); check the disk or the network", reason(errno));
    }
    if (got == 0) {
      place_.refuse(offset,
                    "the file ends here, but had {} bytes when it was opened; do not change it "
                    "while it is read",
                    size_);
    }
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

void SourceStream::read(std::span<std::byte> to) {
  if (to.size() > left()) {
    place().refuse(
        at_, "{} bytes are needed here, but {} are left; the file was cut short, make it again",
        to.size(), left());
  }
  source_.read_at(at_, to);
  at_ += to.size();
}

}  // namespace maskgrad::detail
