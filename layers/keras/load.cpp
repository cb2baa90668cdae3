#include <maskgrad/layers/keras/load.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <maskgrad/layers/keras/loading.hpp>

namespace maskgrad {
namespace detail {
namespace {

// Whether ids are wanted of each input: an Embedding reads it, through functions that change none.
std::vector<bool> inputs_of_ids(const KerasModel& model, const KerasFlat& flat) {
  std::vector<bool> ids;
  for (const auto& input : model.inputs) {
    ids.push_back(input.dtype.starts_with("int") || input.dtype.starts_with("uint") ||
                  input.dtype == "string");
  }
  for (const auto& step : flat.steps) {
    if (!step.layer || step.layer->class_name != "Embedding") continue;
    auto inputs = step.inputs();
    for (int depth = 0; depth < 20 && !inputs.empty() && inputs[0].call >= 0; ++depth) {
      const auto at = static_cast<std::size_t>(inputs[0].call);
      if (at < ids.size()) {
        ids[at] = true;
        break;
      }
      inputs = flat.steps[at].inputs();
    }
  }
  return ids;
}

// The features of an input that nobody told, by the weights of the layer that reads it.
std::optional<std::vector<std::int64_t>> guessed_shape(const KerasRead& read, std::size_t input) {
  for (const auto& step : read.flat.steps) {
    const auto inputs = step.inputs();
    if (!step.layer || inputs.empty() || inputs[0].call != static_cast<int>(input)) continue;
    if (step.layer->class_name == "Embedding") return std::vector<std::int64_t>{any, any};
    for (const auto& later : read.flat.steps) {
      if (!later.layer || (later.layer != step.layer && step.layer->class_name != "Masking"))
        continue;
      const auto* found = read.weights.find(*later.layer);
      if (!found || found->empty() || (*found)[0]->shape.size() < 2) continue;
      const auto& shape = (*found)[0]->shape;
      const auto features = shape[shape.size() - 2];
      if (later.layer->class_name == "Dense") return std::vector<std::int64_t>{any, features};
      return std::vector<std::int64_t>{any, any, features};
    }
  }
  return {};
}

// Refuses weights that the file cannot hold, before they are made.
class KerasWeightLimit final : public WeightWatch {
 public:
  explicit KerasWeightLimit(const Hdf5File& file) : left_(file.most_numbers()) {}
  Parameter instead(const std::string& path, const Shape& shape) override {
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(0, shape.count()));
    if (count > left_) {
      fail<FileError>("load_keras",
                      "the weight '{}' {} and those before it are more than the file holds", path,
                      shape);
    }
    left_ -= count;
    return {};
  }
  void made(const std::string&, const Parameter&) override {}

 private:
  std::uint64_t left_;
};

}  // namespace

KerasRead::KerasRead(const std::filesystem::path& path, std::string_view where)
    : file(path, where),
      model([&] {
        auto made = read_keras_model(file.model(), file.major(), troubles);
        take_ids_for_texts(made, troubles);
        return made;
      }()),
      flat(troubles.empty() ? flatten_keras(model, troubles) : KerasFlat{}),
      weights(file, model) {
  if (!troubles.empty()) return;
  ids = inputs_of_ids(model, flat);
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    auto& input = model.inputs[i];
    if (!input.shape) input.shape = guessed_shape(*this, i);
    if (!input.shape)
      troubles.push_back(fmt::format("the shape of the input '{}' is not told", input.name));
    if (input.shape && input.shape->empty()) input.shape = {any};
  }
}

std::vector<Spec> keras_specs(const KerasRead& read, bool fixed) {
  std::vector<Spec> specs;
  for (std::size_t i = 0; i < read.model.inputs.size(); ++i) {
    auto sizes = *read.model.inputs[i].shape;
    sizes[0] = any;
    const bool steps = sizes.size() > 2 || (sizes.size() == 2 && read.ids[i]);
    if (!fixed && steps) sizes[1] = any;
    const Shape shape{std::span<const std::int64_t>(sizes)};
    specs.push_back(read.ids[i] ? Spec::ids(shape) : Spec::f32(shape));
  }
  return specs;
}

void refuse_keras(const Place& place, const std::vector<std::string>& troubles) {
  std::string text;
  constexpr std::size_t most = 100;
  for (std::size_t i = 0; i < std::min(troubles.size(), most); ++i) text += "\n  " + troubles[i];
  if (troubles.size() > most) text += fmt::format("\n  and {} more", troubles.size() - most);
  fail<FileError>(place.where, "{} cannot be loaded:{}", place.file, text);
}

Functional make_keras(const KerasRead& read, const KerasOptions& options,
                      std::vector<std::string>& troubles, double padding) {
  KerasMaking making{options, read.weights, read.file.major(), troubles, false, padding};
  const auto make = [&] {
    return options.as_keras ? assemble_as_keras(read.model, read.flat, making)
                            : assemble_keras(read.model, making);
  };
  Functional model = make();
  if (!troubles.empty()) return model;
  // With any number of steps, unless layers bind it, as Flatten before Dense; with masks wherever
  // the file makes them, unless layers refuse them, which then take those that hide nothing.
  std::string trouble;
  std::vector<std::string> unfit;  // weights, of which some may be bound to the number of steps
  for (const bool guard : {false, true}) {
    if (guard && options.as_keras) break;
    bool refused = false;
    for (const bool fixed : {false, true}) {
      try {
        if (guard || fixed) {
          making.guard = guard;
          model = make();
        }
        const KerasWeightLimit limit(read.file.weights());
        model.build(keras_specs(read, fixed), Seed{0});
        set_keras_weights(model, read, options.as_keras, troubles);
        if (troubles.empty() || fixed) return model;
        unfit = std::exchange(troubles, {});
      } catch (const Error& error) {
        trouble = error.what();
        refused = refused || dynamic_cast<const MaskError*>(&error) != nullptr;
      }
    }
    if (!refused) break;
  }
  troubles = std::move(unfit);
  if (troubles.empty()) troubles.push_back(trouble);
  return model;
}

}  // namespace detail

Functional load_keras(const std::filesystem::path& path, const KerasOptions& options) {
  detail::KerasRead read(path, "load_keras");
  if (!read.troubles.empty()) detail::refuse_keras(read.file.place(), read.troubles);
  std::vector<std::string> troubles;
  Functional model = detail::make_keras(read, options, troubles);
  if (!troubles.empty()) detail::refuse_keras(read.file.place(), troubles);
  return model;
}

}  // namespace maskgrad
