#pragma once

#include <maskgrad/core/io/array.hpp>
#include <maskgrad/core/io/hdf5/hdf5_messages.hpp>

namespace maskgrad::detail {

/// A group or a data set.
struct Hdf5Object {
  std::string path = {};  ///< from the root, which is ""
  bool dataset = false;
  std::vector<Hdf5Attribute> attributes = {};

  // Of a data set:
  std::vector<std::int64_t> shape = {};
  Hdf5Type type = {};
  Hdf5Layout layout = {};

  /// The texts of an attribute; none where it is not there.
  std::vector<std::string> texts(std::string_view attribute) const;
  /// The only one, or the first of several; "" for none.
  std::string text(std::string_view attribute) const;
};

/// The groups and numbers of an HDF5 file, of the kinds that h5py writes by itself. It is read
/// here, without libhdf5, which does not survive damaged files (one flipped byte in a hundred ends
/// in a signal, 1.10.8). Opening reads what there is and no numbers, in time and memory that go with
/// the bytes of the file. Nothing outside of the file is read: links to other files, values that
/// stand there, and filters from plugins are passed over or refused. No group comes twice.
/// Throws:   FileError with file, byte offset, what is there and what was expected.
/// Source:   The HDF Group, "HDF5 File Format Specification Version 3.0".
class Hdf5File {
 public:
  /// The source must outlive the file.
  explicit Hdf5File(const ByteSource& source);

  /// Each group before what is in it, in the order of names.
  const std::vector<Hdf5Object>& objects() const { return objects_; }
  const Hdf5Object* find(std::string_view path) const;
  /// The numbers of a data set.
  Array read(const Hdf5Object& object) const;
  /// More numbers than this are not in the file.
  std::uint64_t most_numbers() const;
  const Place& place() const { return source_.place(); }

 private:
  const ByteSource& source_;
  std::vector<Hdf5Object> objects_;
};

/// Whether a file that begins so is an HDF5 file.
bool is_hdf5(std::span<const std::byte> first);

}  // namespace maskgrad::detail
