#include "case.hpp"

#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/core/io/safetensors.hpp>
#include <maskgrad/core/random.hpp>
#include <nlohmann/json.hpp>

namespace maskgrad::conformance {
namespace {

using Json = nlohmann::ordered_json;

/// The format's wrapped layer, {subject, config}, as the factory's {class_name, config}.
Json for_factory(Json config) {
  if (config.contains("layer")) {
    const Json layer = config["layer"];
    config["layer"] = {{"class_name", layer.at("subject")},
                       {"config", for_factory(layer.at("config"))}};
  }
  // The one thing that the library does with a query that has no keys: a note, no option.
  if (config.contains("empty_keys") && config["empty_keys"] == "zero context") {
    config.erase("empty_keys");
  }
  return config;
}

void read_description(const Json& json, bool f32, Case& c) {
  if (json.at("format") != 1) {
    fail<FileError>("conformance", "the case has format {}; expected 1", json.at("format").dump());
  }
  json.at("name").get_to(c.name);
  json.at("kind").get_to(c.kind);
  json.at("subject").get_to(c.subject);
  c.training = json.value("training", false);
  c.real = f32 ? DType::f32 : DType::f64;
  c.rtol = f32 ? json.value("rtol32", 2e-4) : json.at("rtol").get<double>();
  c.atol = f32 ? json.value("atol32", 2e-5) : json.at("atol").get<double>();
  Json config = json.value("config", Json::object());
  c.message_has = config.value("message_has", std::vector<std::string>{});
  config.erase("message_has");
  c.config = for_factory(config).dump();
}

}  // namespace

Tensor Case::tensor(const std::string& array) const {
  const auto& a = arrays.at(array);
  const Tensor x = extend::dispatch(
      a.dtype, [&]<class T>() { return maskgrad::tensor(a.values<T>(), Shape(a.shape)); });
  return is_real(a.dtype) ? cast(x, real) : x;
}

Mask Case::mask(const std::string& array) const {
  return has(array) ? Mask::keep(tensor(array)) : Mask();
}

std::vector<std::string> Case::numbered(const std::string& base) const {
  if (has(base)) return {base};
  std::vector<std::string> names;
  for (int i = 0; has(base + "." + std::to_string(i)); ++i) {
    names.push_back(base + "." + std::to_string(i));
  }
  return names;
}

std::vector<std::string> Case::under(const std::string& prefix) const {
  std::vector<std::string> names;
  for (const auto& entry : arrays) {
    if (entry.first.starts_with(prefix)) names.push_back(entry.first.substr(prefix.size()));
  }
  return names;
}

Case read_case(const std::filesystem::path& path, bool f32) {
  const Safetensors file = read_safetensors(path);
  const auto text = file.metadata.find("case");
  if (text == file.metadata.end()) {
    fail<FileError>("conformance", "{}: its metadata has no 'case'; expected the case's JSON",
                    path.string());
  }
  Case c;
  for (const auto& entry : file.arrays) c.arrays.emplace(entry.name, entry.array);
  try {
    read_description(Json::parse(text->second), f32, c);
  } catch (const nlohmann::json::exception& error) {
    fail<FileError>("conformance", "{}: its case is not what the format says: {}", path.string(),
                    error.what());
  }
  return c;
}

}  // namespace maskgrad::conformance
