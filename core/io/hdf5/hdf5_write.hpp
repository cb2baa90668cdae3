#pragma once

#include <map>
#include <string>

#include <maskgrad/core/io/array.hpp>

namespace maskgrad::detail {

/// A group of an HDF5 file to be written: groups, data sets and texts by name.
struct Hdf5Group {
  std::map<std::string, Hdf5Group> groups = {};
  std::map<std::string, Array> data = {};         ///< f32 or f64
  std::map<std::string, std::string> texts = {};  ///< attributes

  /// The group at a path such as `layers/gru/vars`, made where it is missing.
  Hdf5Group& at(std::string_view path);
};

/// The bytes of an HDF5 file of the oldest form, which every reader takes and h5py writes by
/// itself: trees of names, contiguous values, texts in one heap. Equal groups give equal bytes.
/// Throws:   FileError for a name that is empty or has a `/` or a NUL in it, and for an array of
///           another type.
/// Source:   The HDF Group, "HDF5 File Format Specification Version 3.0".
std::vector<std::byte> hdf5_bytes(std::string_view where, const Hdf5Group& root);

}  // namespace maskgrad::detail
