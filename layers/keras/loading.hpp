#pragma once

#include <memory>

#include <maskgrad/layers/keras/assemble.hpp>

namespace maskgrad::detail {

/// A file as it was read, before anything is made of it.
struct KerasRead {
  KerasRead(const std::filesystem::path& path, std::string_view where);
  KerasRead(const KerasRead&) = delete;
  KerasRead& operator=(const KerasRead&) = delete;

  KerasFile file;
  std::vector<std::string> troubles;
  KerasModel model;
  KerasFlat flat;
  KerasWeights weights;
  std::vector<bool> ids;  ///< of each input, whether it is ids
};

/// The model with its weights; `read` must be without troubles. What cannot be made is told in
/// `troubles`, and the model is then not whole. `padding` stands where masks are made false, under
/// .as_keras.
Functional make_keras(const KerasRead& read, const KerasOptions& options,
                      std::vector<std::string>& troubles, double padding = 0);
/// The inputs as specifications; sizes of steps are free unless `fixed`.
std::vector<Spec> keras_specs(const KerasRead& read, bool fixed);

/// Gives the layers of a built model their weights.
void set_keras_weights(Functional& model, const KerasRead& read, bool as_keras,
                       std::vector<std::string>& troubles);

/// FileError of `where`, which lists all troubles.
[[noreturn]] void refuse_keras(const Place& place, const std::vector<std::string>& troubles);

}  // namespace maskgrad::detail
