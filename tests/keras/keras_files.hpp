#pragma once

#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <maskgrad/maskgrad.hpp>

#include "io/zip_builder.hpp"
#include "keras/hdf5_writer.hpp"

/// Small model files as Keras writes them.
namespace keras_files {

/// Numbers that are all different, the same for the same seed.
inline hdf5_writer::Data numbers(std::vector<std::int64_t> shape, int seed) {
  const auto count =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(0.6F * std::sin(0.7F * static_cast<float>(i + 1) + static_cast<float>(seed)));
  }
  return {std::move(shape), std::move(values)};
}

inline maskgrad::Tensor tensor_of(const hdf5_writer::Data& data) {
  return maskgrad::tensor(data.values, maskgrad::Shape{std::span<const std::int64_t>(data.shape)});
}

/// A layer's name, and its weights by their names in the file.
struct Weights {
  std::string layer;
  std::vector<std::pair<std::string, hdf5_writer::Data>> all;
};

/// HDF5 as Keras 2 writes it.
inline std::string h5(const std::string& config, const std::string& version,
                      const std::vector<Weights>& layers) {
  hdf5_writer::Group root;
  root.texts["model_config"] = config;
  root.texts["keras_version"] = version;
  root.texts["backend"] = "tensorflow";
  std::vector<std::string> names;
  for (const auto& layer : layers) {
    names.push_back(layer.layer);
    auto& group = root.at("model_weights/" + layer.layer);
    for (const auto& [name, data] : layer.all) {
      group.lists["weight_names"].push_back(name);
      group.put(name, data);
    }
  }
  root.at("model_weights").lists["layer_names"] = names;
  root.groups["optimizer_weights"].put("training/Adam/iter", numbers({1}, 9));
  return hdf5_writer::file_of(root);
}

/// A `.keras` zip; the weights by their paths in model.weights.h5.
inline std::string zip(const std::string& config, const std::string& version,
                       const std::vector<std::pair<std::string, hdf5_writer::Data>>& weights) {
  hdf5_writer::Group root;
  for (const auto& [path, data] : weights) root.put(path, data);
  files::ZipBuilder builder;
  builder.add("metadata.json", "{\"keras_version\": \"" + version + "\", \"date_saved\": \"now\"}");
  builder.add("config.json", config);
  builder.add("model.weights.h5", hdf5_writer::file_of(root));
  return builder.place().file();
}

/// The file at a path of its own, as load_keras and lint want it.
class File {
 public:
  explicit File(const std::string& bytes, const std::string& name = "model.keras")
      : path_(folder_ / name) {
    files::save(path_, bytes);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  files::TemporaryFolder folder_;
  std::filesystem::path path_;
};

inline double apart(const maskgrad::Tensor& a, const maskgrad::Tensor& b) {
  const auto as = a.to_vector<float>(), bs = b.to_vector<float>();
  if (as.size() != bs.size()) return 1e9;
  double most = 0;
  for (std::size_t i = 0; i < as.size(); ++i) {
    most = std::max(most, static_cast<double>(std::abs(as[i] - bs[i])));
  }
  return most;
}

/// Gives a layer's parameters values, in their order.
template <class L>
void set(const L& layer, const std::vector<hdf5_writer::Data>& values) {
  const auto parameters = maskgrad::parameters(layer);
  for (std::size_t i = 0; i < values.size(); ++i) parameters.at(i).set(tensor_of(values[i]));
}

}  // namespace keras_files
