#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <maskgrad/core/io/hdf5/hdf5.hpp>
#include <maskgrad/core/io/json.hpp>

namespace maskgrad::detail {

/// A Keras model file of either kind, told by its first bytes: HDF5 (Keras 1 and 2, and 3 by
/// `.h5`), or `.keras`, a zip of config.json, metadata.json and model.weights.h5. Nothing in it is
/// run: functions of Lambda layers stay the text that they are.
/// Throws:   FileError for other files, for weights alone, and for what is damaged.
class KerasFile {
 public:
  KerasFile(const std::filesystem::path& path, std::string_view where);

  /// {"class_name": .., "config": ..} of the model.
  const Json& model() const { return model_; }
  bool is_zip() const { return zip_; }
  std::string_view container() const { return zip_ ? "keras zip" : "HDF5"; }
  const std::string& version() const { return version_; }  ///< as `2.1.6-tf`; may be empty
  int major() const { return major_; }                     ///< 1, 2 or 3
  const Hdf5File& weights() const { return *weights_; }
  const Place& place() const { return source_.place(); }

 private:
  void read_hdf5();
  void read_zip();
  void parse(std::string_view text);

  ByteSource source_;
  std::vector<std::byte> inner_;  ///< model.weights.h5
  std::unique_ptr<ByteSource> inner_source_;
  std::unique_ptr<Hdf5File> weights_;
  Json model_;
  std::string version_;
  int major_ = 0;
  bool zip_ = false;
};

}  // namespace maskgrad::detail
