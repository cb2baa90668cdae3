#include <maskgrad/layers/keras/save.hpp>

#include <fmt/format.h>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/core/io/bytes.hpp>
#include <maskgrad/core/io/zip_write.hpp>
#include <maskgrad/layers/keras/saving.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view saver = "save_keras";
// Whose layout of files this is.
constexpr std::string_view keras_metadata =
    "{\"keras_version\": \"3.10.0\", \"date_saved\": \"1980-01-01@00:00:00\"}";

void check_input_masks(const Tensors& inputs, const KerasSaveOptions& options) {
  for (const auto& x : inputs) {
    if (options.drop_input_masks || !x.has_mask()) continue;
    fail<MaskError>(saver,
                    "an input is {}, and Keras's inputs have no masks: its padding would be data; "
                    "begin the model with Masking, or with an Embedding with .mask_zero, and build "
                    "it without a mask, or drop the mask with .drop_input_masks",
                    x.describe());
  }
}

Tensors without_masks(const Tensors& inputs) {
  Tensors made;
  for (const auto& x : inputs) made.push_back(rows::make_meta(x.shape(), x.dtype(), Mask()));
  return made;
}

template <class Write>
void save_whole(const Tensors& built_for, const std::filesystem::path& path,
                const KerasSaveOptions& options, const Write& write) {
  check_input_masks(built_for, options);
  const Evaluate guard;
  std::vector<std::string> troubles;
  detail::KerasWriter writer(troubles);
  detail::Hdf5Group weights;
  const auto made = write(writer, without_masks(built_for), weights);
  if (!troubles.empty()) {
    fail<FileError>(saver, "the model cannot be a Keras file:\n  {}", fmt::join(troubles, "\n  "));
  }
  const std::string config = detail::json_text(made.item());
  const auto bytes = detail::hdf5_bytes(saver, weights);
  const detail::ZipPart parts[] = {{"metadata.json", detail::as_bytes(keras_metadata), {}},
                                   {"config.json", detail::as_bytes(config), {}},
                                   {"model.weights.h5", bytes, {}}};
  AtomicFile file(path, saver);
  detail::write_zip(saver, parts, false, [&](auto part) { file.write(part); });
  file.commit();
}

}  // namespace

void save_keras(const Functional& model, const std::filesystem::path& path,
                const KerasSaveOptions& options) {
  save_whole(model.built_for().metas(saver), path, options,
             [&](auto& writer, const Tensors& inputs, auto& weights) {
               return writer.functional(model, model.info.name, inputs, weights);
             });
}

void save_keras(const Sequential& model, const std::filesystem::path& path,
                const KerasSaveOptions& options) {
  std::vector<AnyLayer> layers;
  Sequential::each_layer(const_cast<Sequential&>(model),
                         [&](auto&&, AnyLayer& layer) { layers.push_back(layer); });
  save_whole(model.built_for().metas(saver), path, options,
             [&](auto& writer, const Tensors& inputs, auto& weights) {
               return writer.sequential(layers, model.info.name, inputs, weights);
             });
}

}  // namespace maskgrad
