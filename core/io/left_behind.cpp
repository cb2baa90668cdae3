#include <maskgrad/core/io/left_behind.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <fstream>
#include <vector>

#include <fmt/format.h>

#include <maskgrad/core/io/atomic_file.hpp>

namespace maskgrad {
namespace detail {
namespace {

constexpr std::string_view file_prefix = ".maskgrad-", file_ending = ".tmp";

// The running kernel: all its containers have the same, another host or start has another.
const std::string& kernel() {
  static const std::string name = [] {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    file >> id;
    return id.size() < 8 ? std::string("unknown") : id.substr(0, 8);
  }();
  return name;
}

bool is_aside(std::string_view name) {
  return name.starts_with(file_prefix) && name.ends_with(file_ending);
}

bool lock(int descriptor, int& error) {
  int result = 0;
  do {
    result = ::flock(descriptor, LOCK_EX | LOCK_NB);
    error = result == 0 ? 0 : errno;
  } while (error == EINTR);
  return error == 0;
}

bool same_file(int descriptor, const std::filesystem::path& path) {
  struct stat opened {
  }, named{};
  return ::fstat(descriptor, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// Whether the writer of a file lives no more.
bool is_left(int descriptor, std::string_view name) {
  int error = 0;
  const bool locked = lock(descriptor, error);
  if (!locked && error == EWOULDBLOCK) return false;
  const bool here = name.starts_with(fmt::format("{}{}-", file_prefix, kernel()));
  if (locked && here && kernel() != "unknown") return true;
  struct stat facts {};
  constexpr std::time_t hour = 3600;
  return ::fstat(descriptor, &facts) == 0 && ::time(nullptr) - facts.st_mtime > hour;
}

void remove_if_left(const std::filesystem::path& path) {
  constexpr int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;
  const int descriptor = ::open(path.c_str(), flags);
  if (descriptor < 0) return;
  struct stat facts {};
  const bool regular = ::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
  // Under the lock, so that no writer can begin with it in between.
  if (regular && is_left(descriptor, path.filename().string()) && same_file(descriptor, path)) {
    ::unlink(path.c_str());
  }
  ::close(descriptor);
}

}  // namespace

std::string aside_name(unsigned number) {
  return fmt::format("{}{}-{}-{}{}", file_prefix, kernel(), ::getpid(), number, file_ending);
}

bool hold(int descriptor, const std::filesystem::path& path) {
  int error = 0;
  if (!lock(descriptor, error) && error == EWOULDBLOCK) return false;
  return same_file(descriptor, path);
}

}  // namespace detail

void remove_left_behind(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> aside;
  std::filesystem::directory_iterator files(folder, error);
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
    if (detail::is_aside(files->path().filename().native())) aside.push_back(files->path());
  }
  for (const auto& path : aside) detail::remove_if_left(path);
}

}  // namespace maskgrad
