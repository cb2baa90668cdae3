#pragma once

#include <filesystem>
#include <string>

namespace maskgrad::detail {

/// The name of a file written aside: `.maskgrad-KERNEL-PROCESS-NUMBER.tmp`. A process number means
/// something in one container only; whether the writer lives is told by the lock that it holds on
/// the file, which the kernel named here keeps.
std::string aside_name(unsigned number);

/// Takes the lock that says that the writer lives. False where the file is no longer at `path`.
/// A file system without locks counts as locked.
bool hold(int descriptor, const std::filesystem::path& path);

/// Removes the files written aside in `folder` by writers that live no more. Those of another
/// kernel (another host on a network file system, or this one before it started anew), and those on
/// file systems without locks, only when an hour has passed since their last change. What cannot be
/// removed stays.
void remove_left_behind(const std::filesystem::path& folder);

}  // namespace maskgrad::detail
