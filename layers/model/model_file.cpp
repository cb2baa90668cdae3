#include <maskgrad/layers/model/model_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/core/io/safetensors.hpp>

namespace maskgrad {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* key = "maskgrad_model";
constexpr int version = 1;
constexpr std::string_view where = "load_model";

Json json_of(const Spec& spec) {
  Json shape = Json::array();
  for (const auto size : spec.shape()) shape.push_back(size == any ? Json() : Json(size));
  return {{"shape", shape}, {"dtype", name(spec.dtype())}, {"mask_axes", spec.mask_axes()}};
}

Spec spec_of(const Json& json) {
  std::vector<std::int64_t> sizes;
  for (const auto& size : json.at("shape")) {
    sizes.push_back(size.is_null() ? any : size.get<std::int64_t>());
  }
  const Shape shape(sizes);
  const auto type = json.at("dtype").get<std::string>();
  const Spec spec = type == "f64"   ? Spec::f64(shape)
                    : type == "f32" ? Spec::f32(shape)
                                    : Spec::ids(shape);
  const int axes = json.at("mask_axes");
  return axes < 0 ? spec : spec.masked(axes);
}

/// What the metadata say, beside the model itself.
struct ModelNotes {
  std::string description;
  std::vector<Spec> inputs;
  Seed seed;
  std::vector<std::string> frozen;
};

ModelNotes notes_from(const fs::path& path, const Metadata& metadata) {
  const auto text = metadata.find(key);
  if (text == metadata.end()) {
    const bool checkpoint = metadata.count("maskgrad_checkpoint") > 0;
    fail<FileError>(where, "{} is {}: its metadata have no '{}'; {}", path.string(),
                    checkpoint ? "a checkpoint of a training, and no model" : "no model", key,
                    checkpoint ? "go on with it by fit, then save_model"
                               : "write one by save_model. load_weights reads weights alone");
  }
  try {
    const Json json = Json::parse(text->second);
    if (json.at("version") != version) {
      fail<FileError>(where, "{} is of version {}; expected {}", path.string(),
                      json.at("version").dump(), version);
    }
    ModelNotes saved{json.at("model").dump(), {}, {json.at("seed").get<std::uint64_t>()}, {}};
    for (const auto& spec : json.at("inputs")) saved.inputs.push_back(spec_of(spec));
    json.at("frozen").get_to(saved.frozen);
    return saved;
  } catch (const nlohmann::json::exception& error) {
    fail<FileError>(where, "{} does not say what model it holds ({})", path.string(), error.what());
  }
}

}  // namespace

namespace detail {

void save_model(const fs::path& path, const std::string& description,
                const std::vector<NamedParameter>& parameters, const std::vector<Spec>& inputs,
                Seed seed) {
  if (path.extension() != ".safetensors") {
    fail<OptionError>("save_model", "'{}' ends in '{}'; expected .safetensors", path.string(),
                      path.extension().string());
  }
  Json json{{"version", version},
            {"model", Json::parse(description)},
            {"inputs", Json::array()},
            {"seed", seed.value},
            {"frozen", Json::array()}};
  for (const auto& spec : inputs) json["inputs"].push_back(json_of(spec));
  for (const auto& [name, p] : parameters) {
    if (!p.trainable() && !p.is_state()) json["frozen"].push_back(name);
  }
  write_safetensors(path, weight_arrays("save_model", parameters), {{key, json.dump()}},
                    Checksum::crc32);
}

void refuse_loaded(const fs::path& path, std::string_view kind, std::string_view expected) {
  fail<OptionError>(where, "{} holds a {}; expected a {}. load_any_model takes any", path.string(),
                    kind, expected);
}

}  // namespace detail

AnyLayer load_any_model(const fs::path& path) {
  const auto file = read_safetensors(path);
  const ModelNotes saved = notes_from(path, file.metadata);
  const NoiseScope noise;  // a training that loads another model goes on as it was
  AnyLayer model = detail::layer_from(where, saved.description);
  build(model, saved.inputs, saved.seed);
  const bool wide = std::any_of(file.arrays.begin(), file.arrays.end(),
                                [](const auto& a) { return a.array.dtype == DType::f64; });
  if (wide) model = clone(model, DType::f64);
  const auto parameters = named_parameters(model);
  detail::put_weights(where, path, parameters, file.arrays, {});
  std::set<std::string> frozen;
  for (const auto& name : saved.frozen) frozen.insert(detail::joined_digits(name));
  for (const auto& [name, p] : parameters) {
    if (frozen.count(detail::joined_digits(name)) > 0) p.set_trainable(false);
  }
  return model;
}

}  // namespace maskgrad
