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

}  // namespace maskgrad::detail
