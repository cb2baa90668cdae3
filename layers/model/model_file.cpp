#include <maskgrad/layers/model/model_file.hpp>

#include <algorithm>
#include <map>
#include <set>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/core/io/safetensors.hpp>
#include <maskgrad/layers/model/model_notes.hpp>

namespace maskgrad {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view in_load_model = "load_model";
/// Values beyond those of the file that may be made: weights of a layer that does not list them.
constexpr std::int64_t spare = 65536;

/// Holds the weights that a build makes against what the file has for them: no more than that is
/// made, whatever the options say, and a weight that layers have in common is made once.
class FileWeights final : public detail::WeightWatch {
 public:
  FileWeights(const fs::path& path, const NamedArrays& arrays, const detail::ModelNotes& notes)
      : path_(path), owner_(notes.shared.begin(), notes.shared.end()) {
    for (const auto& a : arrays) held_ += values_of(a.array);
    left_ = held_ + spare;
  }

  Parameter instead(const std::string& path, const Shape& shape) override {
    const auto known = made_.find(owner_of(path));
    if (known != made_.end()) {
      if (known->second.shape() == shape) return known->second;
      fail<FileError>(in_load_model, "{} says that the weight {} {} is that of {}, which is {}",
                      path_.string(), path, shape, known->first, known->second.shape());
    }
    std::int64_t more = 1;
    for (const auto size : shape) {
      if (size != 0 && more > left_ / size) refuse(path, shape);
      more *= size;
    }
    left_ -= more;
    return {};
  }
  void made(const std::string& path, const Parameter& weight) override {
    made_.emplace(owner_of(path), weight);
  }

 private:
  static std::int64_t values_of(const Array& array) {
    return static_cast<std::int64_t>(array.bytes.size() / size_of(array.dtype));
  }
  [[noreturn]] void refuse(const std::string& path, const Shape& shape) const {
    fail<FileError>(in_load_model,
                    "{} describes a weight {} {}, and holds {} values for all of its weights, of "
                    "which {} are left; nothing was made. It is damaged, or no honest one",
                    path_.string(), path, shape, held_, std::max<std::int64_t>(left_ - spare, 0));
  }
  const std::string& owner_of(const std::string& path) const {
    const auto found = owner_.find(path);
    return found == owner_.end() ? path : found->second;
  }

  const fs::path& path_;
  std::int64_t held_ = 0, left_ = 0;
  std::map<std::string, std::string> owner_;
  std::map<std::string, Parameter> made_;
};

const detail::BuiltWith& known_inputs(std::string_view asked, const AnyLayer& model) {
  if (const auto* with = model.built_with()) return *with;
  fail<StateError>(asked,
                   "{}: it is not known what inputs it was built for; build it by "
                   "build(model, Spec), or give the specifications",
                   model.kind());
}

/// Where layers have a weight in common: its path in the later one, and in the first.
std::vector<std::pair<std::string, std::string>> shared_in(const detail::LayerVisits& visits) {
  std::map<const void*, std::string> first;
  std::vector<std::pair<std::string, std::string>> shared;
  visits([&](const detail::LayerView& view) {
    for (const auto& [path, p] : view.parameters) {
      if (!p->defined()) continue;
      const auto [at, fresh] = first.emplace(&p->tensor().impl(), path);
      if (!fresh && at->second != path) shared.emplace_back(path, at->second);
    }
  });
  return shared;
}

}  // namespace

namespace detail {

void save_model(const fs::path& path, extend::JsonPart description,
                const std::vector<NamedParameter>& parameters, const LayerVisits& visits,
                const std::vector<Spec>& inputs, Seed seed) {
  if (path.extension() != ".safetensors") {
    fail<OptionError>("save_model", "'{}' ends in '{}'; expected .safetensors", path.string(),
                      path.extension().string());
  }
  ModelNotes notes{std::move(description), inputs, seed, {}, shared_in(visits)};
  for (const auto& [name, p] : parameters) {
    if (!p.trainable() && !p.is_state()) notes.frozen.push_back(name);
  }
  write_safetensors(path, weight_arrays("save_model", parameters), metadata_of(notes),
                    Checksum::crc32);
}

void refuse_loaded(const fs::path& path, std::string_view kind, std::string_view expected) {
  fail<OptionError>(in_load_model, "{} holds a {}; expected a {}. load_any_model takes any",
                    path.string(), kind, expected);
}

}  // namespace detail

void save_model(const AnyLayer& model, const fs::path& path) {
  const auto& with = known_inputs("save_model", model);
  detail::save_any(model, path, with.inputs, with.seed);
}

Flow mask_flow(AnyLayer& model) {
  return mask_flow(model, known_inputs("mask_flow", model).inputs);
}
std::string summary(AnyLayer& model) {
  return summary(model, known_inputs("summary", model).inputs);
}

AnyLayer load_any_model(const fs::path& path, const LoadModelOptions& options) {
  const JsonLimitsScope limits(options.limits);
  const auto file = read_safetensors(path);
  const NoiseScope noise;  // a training that loads another model goes on as it was
  const auto notes = detail::notes_from(path, file.metadata);
  AnyLayer model = detail::layer_from(in_load_model, notes.model);
  {
    const FileWeights weights(path, file.arrays, notes);
    build(model, notes.inputs, notes.seed);
  }
  const bool wide = std::any_of(file.arrays.begin(), file.arrays.end(),
                                [](const auto& a) { return a.array.dtype == DType::f64; });
  if (wide) model = clone(model, DType::f64);
  const auto parameters = named_parameters(model);
  detail::put_weights(in_load_model, path, parameters, file.arrays, {});
  std::set<std::string> frozen;
  for (const auto& name : notes.frozen) frozen.insert(detail::joined_digits(name));
  for (const auto& [name, p] : parameters) {
    if (frozen.count(detail::joined_digits(name)) > 0 && !p.is_state()) p.set_trainable(false);
  }
  return model;
}

}  // namespace maskgrad
