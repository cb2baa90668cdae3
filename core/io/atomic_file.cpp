#include <maskgrad/core/io/atomic_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include <maskgrad/core/error.hpp>
#include <maskgrad/core/io/left_behind.hpp>

namespace maskgrad {
namespace {

std::string_view advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "make room there, or write elsewhere";
    case EFBIG:
      return "raise the limit on file sizes, or write elsewhere";
    case EACCES:
    case EPERM:
    case EROFS:
      return "get the right to write in that folder, or write elsewhere";
    case ENOENT:
    case ENOTDIR:
      return "make the folder first";
    case ENAMETOOLONG:
      return "give a shorter name";
    default:
      return "check the disk or the network, or write elsewhere";
  }
}

// A rename is on disk only when its folder is; file systems that cannot sync one say EINVAL.
int sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno == EACCES ? 0 : errno;
  const int error = ::fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
  ::close(descriptor);
  return error;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

namespace detail {

int write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : EIO;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace detail

AtomicFile::AtomicFile(const std::filesystem::path& path, std::string_view where)
    : path_(path), where_(where) {
  std::error_code error;
  if (std::filesystem::is_symlink(path_, error)) {
    const auto followed = std::filesystem::weakly_canonical(path_, error);
    if (error) refuse("be followed as a link", error.value());
    path_ = followed;
  }
  struct stat old {};
  const bool exists = ::stat(path_.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) {
    fail<FileError>(where_, "{} is {}; give the path of a file", path_.string(),
                    S_ISDIR(old.st_mode) ? "a folder" : "a pipe or a device");
  }
  if (!path_.has_filename()) {
    fail<FileError>(where_, "'{}' names no file; give the path of a file", path_.string());
  }
  create();
  if (exists) {
    // Best effort: a file system without permissions still holds the data.
    [[maybe_unused]] const int kept = ::fchmod(descriptor_, old.st_mode & 07777);
  }
}

AtomicFile::~AtomicFile() {
  discard();
}

void AtomicFile::create() {
  static std::atomic<unsigned> counter{0};
  const auto folder = folder_of(path_);
  remove_left_behind(folder);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    // Short whatever the name: a name of the full length allowed has room for nothing more.
    aside_ = folder / detail::aside_name(counter.fetch_add(1));
    descriptor_ = ::open(aside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST && errno != EINTR) break;
    if (descriptor_ >= 0 && detail::hold(descriptor_, aside_)) return;
    // Another one took it for left behind before it was locked.
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  const int error = errno;
  aside_.clear();
  refuse("be written", error);
}

void AtomicFile::discard() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!aside_.empty()) ::unlink(aside_.c_str());
  descriptor_ = -1;
  aside_.clear();
}

void AtomicFile::refuse(std::string_view doing, int error) {
  discard();
  fail<FileError>(where_, "{} cannot {} ({}); an old file is as it was; {}", path_.string(), doing,
                  std::system_category().message(error), advice(error));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  const int error = descriptor_ < 0 ? EBADF : detail::write_all(descriptor_, bytes);
  if (error != 0) refuse("be written", error);
}

void AtomicFile::commit() {
  if (descriptor_ < 0) refuse("be written", EBADF);
  if (::fsync(descriptor_) != 0) refuse("be written to the disk", errno);
  if (::rename(aside_.c_str(), path_.c_str()) != 0) refuse("be replaced", errno);
  aside_.clear();
  // Open until here, as its lock says that the writer lives; the data were synced before.
  ::close(std::exchange(descriptor_, -1));
  if (const int error = sync_folder(folder_of(path_)); error != 0) {
    fail<FileError>(where_, "{} is written, but its folder cannot be synced ({}); {}",
                    path_.string(), std::system_category().message(error), advice(error));
  }
}

void make_folders(const std::filesystem::path& folder, std::string_view where) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (folder.empty() || fs::is_directory(folder, error)) return;
  const auto above = folder_of(folder);
  if (folder.has_filename()) {
    make_folders(above, where);
    fs::create_directory(folder, error);
  } else {
    return make_folders(above, where);  // the path ends in a slash
  }
  if (!error && !fs::is_directory(folder, error))
    error = std::make_error_code(std::errc::file_exists);
  const int unsynced = error ? 0 : sync_folder(above);
  if (unsynced != 0) error.assign(unsynced, std::system_category());
  if (!error) return;
  fail<FileError>(where, "the folder {} cannot be made ({}); make it, or give another",
                  folder.string(), error.message());
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                std::string_view where) {
  AtomicFile file(path, where);
  file.write(bytes);
  file.commit();
}

}  // namespace maskgrad
