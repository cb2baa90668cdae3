#include <maskgrad/layers/model/model_notes.hpp>
#include <maskgrad/layers/model/versioned_notes.hpp>

namespace maskgrad::detail {
namespace {

constexpr const char* key = "maskgrad_model";
constexpr std::int64_t notes_version = 1;
constexpr std::string_view in_model_notes = "load_model";

struct SpecOptions {
  std::vector<std::int64_t> shape;
  std::string dtype;
  int mask_axes = -1;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("shape"), o.shape);
    f(extend::required("dtype"), o.dtype);
    f(extend::required("mask_axes"), o.mask_axes);
  }
};

struct NotesOptions {
  std::int64_t version = notes_version;
  extend::JsonPart model;
  std::vector<extend::JsonPart> inputs;
  Seed seed;
  std::vector<std::string> frozen;
  std::vector<std::string> shared;  ///< pairs, one behind the other

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("version"), o.version);
    f(extend::required("model"), o.model);
    f(extend::required("inputs"), o.inputs);
    f(extend::required("seed"), o.seed);
    f(extend::required("frozen"), o.frozen);
    f("shared", o.shared);
  }
};

/// As JSON: `any` is null.
extend::JsonText sizes_of(const Shape& shape) {
  std::string text;
  for (const auto size : shape) {
    text += (text.empty() ? "" : ",") + (size == any ? std::string("null") : std::to_string(size));
  }
  return {"[" + text + "]"};
}

extend::JsonPart part_of(const Spec& spec) {
  extend::OptionWriter writer;
  writer("shape", sizes_of(spec.shape()));
  writer("dtype", std::string(name(spec.dtype())));
  writer("mask_axes", spec.mask_axes());
  return writer.part();
}

Spec spec_of(const extend::JsonPart& part) {
  const auto o = extend::read_options<SpecOptions>("an input", part);
  const Shape shape(o.shape);
  for (const auto& spec : {Spec::f32(shape), Spec::f64(shape), Spec::ids(shape)}) {
    if (name(spec.dtype()) != o.dtype) continue;
    return o.mask_axes == -1 ? spec : spec.masked(o.mask_axes);
  }
  fail<OptionError>("an input", "the option .dtype is '{}'; expected f32, f64 or i64", o.dtype);
}

ModelNotes notes_of(NotesOptions&& o) {
  ModelNotes notes{std::move(o.model), {}, o.seed, std::move(o.frozen), {}};
  for (const auto& part : o.inputs) notes.inputs.push_back(spec_of(part));
  if (o.shared.size() % 2 != 0) {
    fail<OptionError>("shared", "it has {} names; expected pairs", o.shared.size());
  }
  for (std::size_t i = 0; i + 1 < o.shared.size(); i += 2) {
    notes.shared.emplace_back(std::move(o.shared[i]), std::move(o.shared[i + 1]));
  }
  return notes;
}

}  // namespace

Metadata metadata_of(const ModelNotes& notes) {
  NotesOptions options{notes_version, notes.model, {}, notes.seed, notes.frozen, {}};
  for (const auto& spec : notes.inputs) options.inputs.push_back(part_of(spec));
  for (const auto& [there, here] : notes.shared) {
    options.shared.push_back(there);
    options.shared.push_back(here);
  }
  extend::OptionWriter writer;
  NotesOptions::each_option(options, writer);
  return {{key, writer.json()}};
}

ModelNotes notes_from(const std::filesystem::path& path, const Metadata& metadata) {
  const auto text = metadata.find(key);
  if (text == metadata.end()) {
    const bool checkpoint = metadata.count("maskgrad_checkpoint") > 0;
    fail<FileError>(in_model_notes, "{} is {}: its metadata have no '{}'; {}", path.string(),
                    checkpoint ? "a checkpoint of a training, and no model" : "no model", key,
                    checkpoint ? "go on with it by fit, then save_model"
                               : "write one by save_model. load_weights reads weights alone");
  }
  return read_notes<NotesOptions>(in_model_notes, path, text->second, "what model it holds",
                                  notes_of);
}

}  // namespace maskgrad::detail
