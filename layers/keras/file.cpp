#include <maskgrad/layers/keras/file.hpp>

#include <algorithm>

#include <maskgrad/core/io/room.hpp>
#include <maskgrad/core/io/zip_entry.hpp>
#include <maskgrad/layers/keras/config.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::uint64_t most_keras_json = std::uint64_t{256} << 20;

std::vector<std::byte> keras_entry_bytes(const ByteSource& source, const ZipEntry& entry) {
  std::vector<std::byte> bytes;
  with_room(source.place(), entry.size,
            [&] { bytes.resize(static_cast<std::size_t>(entry.size)); });
  ZipEntryStream in(source, entry);
  in.read(bytes);
  in.finish();
  return bytes;
}

int keras_major(const std::string& version, const Json& model) {
  if (!version.empty() && version[0] >= '1' && version[0] <= '9' &&
      (version.size() == 1 || version[1] == '.')) {
    return version[0] - '0';
  }
  return config_at(model, "module") ? 3 : 2;  // Keras 2 wrote no modules before its last versions
}

// TensorFlow's folders hold a graph of operations that only TensorFlow can run.
const std::filesystem::path& no_saved_model(const std::filesystem::path& path,
                                            std::string_view where) {
  std::error_code none;
  if (std::filesystem::exists(path / "saved_model.pb", none)) {
    fail<FileError>(where,
                    "{} is a SavedModel folder, which tells no layers; load it in Keras, and save "
                    "it with model.save('model.keras')",
                    path.string());
  }
  return path;
}

}  // namespace

KerasFile::KerasFile(const std::filesystem::path& path, std::string_view where)
    : source_(no_saved_model(path, where), where) {
  std::vector<std::byte> first(
      static_cast<std::size_t>(std::min<std::uint64_t>(8, source_.size())));
  source_.read_at(0, first);
  if (is_hdf5(first)) {
    read_hdf5();
  } else if (as_text(first).starts_with("PK")) {
    read_zip();
  } else {
    source_.place().refuse(
        0,
        "it begins like neither an HDF5 file (.h5) nor a zip file (.keras); save "
        "the model with model.save('model.keras'), in one file");
  }
  major_ = keras_major(version_, model_);
}

void KerasFile::parse(std::string_view text) {
  auto parsed = parse_json(text);
  if (!parsed.trouble.empty()) {
    source_.place().refuse(0, "the model's configuration cannot be read: {}", parsed.trouble);
  }
  model_ = std::move(parsed.json);
  if (!model_.is_object() || config_text(model_, "class_name").empty() ||
      !config_at(model_, "config")) {
    source_.place().refuse(0,
                           "the configuration is no model's: it lacks class_name or config; save "
                           "the model with model.save('model.keras')");
  }
}

void KerasFile::read_hdf5() {
  weights_ = std::make_unique<Hdf5File>(source_);
  const Hdf5Object& root = weights_->objects().front();
  version_ = root.text("keras_version");
  const Hdf5Object* group = weights_->find("model_weights");
  if (version_.empty() && group) version_ = group->text("keras_version");
  const std::string text = root.text("model_config");
  if (text.empty()) {
    source_.place().refuse(0,
                           "the file holds weights alone, without the model's layers; save the "
                           "whole model with model.save, not save_weights");
  }
  parse(text);
}

void KerasFile::read_zip() {
  zip_ = true;
  const auto entries = read_zip_directory(source_);
  const auto find = [&](std::string_view name) -> const ZipEntry* {
    const auto found = std::ranges::find(entries, name, &ZipEntry::name);
    return found == entries.end() ? nullptr : &*found;
  };
  const auto json = [&](std::string_view name) -> std::string {
    const ZipEntry* entry = find(name);
    if (!entry) return {};
    if (entry->size > most_keras_json)
      source_.place().refuse(entry->header, "{} has {} bytes", name, entry->size);
    return std::string(as_text(keras_entry_bytes(source_, *entry)));
  };
  const std::string config = json("config.json");
  const ZipEntry* weights = find("model.weights.h5");
  if (config.empty() || !weights) {
    source_.place().refuse(0,
                           "the zip file lacks {}; expected what model.save('model.keras') writes",
                           config.empty() ? "config.json" : "model.weights.h5");
  }
  const auto metadata = parse_json(json("metadata.json"));
  if (metadata.trouble.empty()) version_ = config_text(metadata.json, "keras_version");
  parse(config);
  inner_ = keras_entry_bytes(source_, *weights);
  inner_source_ = std::make_unique<ByteSource>(inner_, source_.place().file + ", model.weights.h5",
                                               source_.place().where);
  weights_ = std::make_unique<Hdf5File>(*inner_source_);
}

}  // namespace maskgrad::detail
