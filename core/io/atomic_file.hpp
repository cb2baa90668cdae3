#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace maskgrad {

/// A file that appears as a whole or not at all: written aside in the same folder, synced, renamed
/// over the old one, the folder synced. Unless `commit` succeeds the old file stays as it was and
/// nothing is left behind; what killed writers left behind in the folder is removed. A link is
/// followed; the permissions of an old file are kept.
/// Throws: FileError with the system's reason: no space, no such folder, a folder in the way, ...
/// Example:  mg::AtomicFile file("out.bin", "save");
///           file.write(std::as_bytes(std::span("text")));
///           file.commit();
class AtomicFile {
 public:
  /// `where` names the function that writes, for messages.
  AtomicFile(const std::filesystem::path& path, std::string_view where);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  [[noreturn]] void refuse(std::string_view doing, int error);
  void create();
  void discard();

  std::filesystem::path path_, aside_;
  std::string where_;
  int descriptor_ = -1;
};

/// Writes `bytes` to `path` by way of an AtomicFile.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                std::string_view where);

/// Removes the files written aside in `folder` by writers that live no more. Those of another
/// kernel (another host on a network file system, or this one before it started anew), and those on
/// file systems without locks, only when an hour has passed since their last change. What cannot be
/// removed stays.
void remove_left_behind(const std::filesystem::path& folder);

/// Makes a folder and those above it that are not there, each synced into the one above it.
/// FileError with the system's reason.
void make_folders(const std::filesystem::path& folder, std::string_view where);

namespace detail {
/// Writes everything, through short writes and interruptions; 0, or the errno of what failed.
int write_all(int descriptor, std::span<const std::byte> bytes);
}  // namespace detail

}  // namespace maskgrad
