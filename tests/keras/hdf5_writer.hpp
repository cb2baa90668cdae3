#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// Makes HDF5 files in memory, of the kind that h5py writes by default.
namespace hdf5_writer {

struct Data {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  bool chunked = false;  ///< in chunks of half the first axis, shuffled and packed by gzip
};

struct Group {
  std::map<std::string, Group> groups = {};
  std::map<std::string, Data> data = {};
  std::map<std::string, std::vector<std::string>> lists = {};  ///< attributes, of fixed length
  std::map<std::string, std::string> texts = {};               ///< attributes, in the heap

  /// The group at a path, made where it is missing.
  Group& at(const std::string& path);
  void put(const std::string& path, Data value);
};

std::string file_of(const Group& root);

}  // namespace hdf5_writer
