#include <maskgrad/core/io/atomic_file.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include <maskgrad/core/error.hpp>

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
  for (int attempt = 0; attempt < 1000; ++attempt) {
    // Short whatever the name: a name of the full length allowed has room for nothing more.
    aside_ =
        folder_of(path_) / fmt::format(".maskgrad-{}-{}.tmp", ::getpid(), counter.fetch_add(1));
    descriptor_ = ::open(aside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) return;
    if (errno != EEXIST && errno != EINTR) break;
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
  const int closed = ::close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno;
  // After EINTR the descriptor is gone and the data were synced before.
  if (closed != 0 && closed != EINTR) refuse("be written to the disk", closed);
  if (::rename(aside_.c_str(), path_.c_str()) != 0) refuse("be replaced", errno);
  aside_.clear();
  if (const int error = sync_folder(folder_of(path_)); error != 0) {
    fail<FileError>(where_, "{} is written, but its folder cannot be synced ({}); {}",
                    path_.string(), std::system_category().message(error), advice(error));
  }
}

void remove_left_behind(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> left;
  std::filesystem::directory_iterator files(folder, error);
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
    int process = 0, number = 0, end = 0;
    const std::string name = files->path().filename().string();
    const int read = std::sscanf(name.c_str(), ".maskgrad-%d-%d.tmp%n", &process, &number, &end);
    const bool ours = read == 2 && end == static_cast<int>(name.size()) && process > 0;
    if (ours && ::kill(process, 0) != 0 && errno == ESRCH) left.push_back(files->path());
  }
  for (const auto& path : left) std::filesystem::remove(path, error);
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                std::string_view where) {
  AtomicFile file(path, where);
  file.write(bytes);
  file.commit();
}

}  // namespace maskgrad
