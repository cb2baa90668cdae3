#pragma once

#include <filesystem>
#include <string_view>

#include <maskgrad/core/io/array.hpp>

namespace maskgrad {

/// Reads a NumPy `.npy` file: format 1.0, 2.0 or 3.0, C or Fortran order, either byte order.
///   Allocates at most 32 times the file's size and 1 MiB, whatever the file says.
/// Throws: FileError with file, byte offset, what is there and what was expected.
/// Source: NumPy, "NPY format" (NEP 1).
Array read_npy(const std::filesystem::path& path);

/// The same from memory; `name` stands for the file in messages.
Array parse_npy(std::span<const std::byte> bytes, std::string_view name);

/// Writes format 1.0, C order; the file is replaced as a whole or not at all.
/// Throws: FileError where the system refuses; ShapeError where bytes and shape do not fit.
void write_npy(const std::filesystem::path& path, const Array& array);

/// What `write_npy` writes.
std::vector<std::byte> npy_bytes(const Array& array);

}  // namespace maskgrad
