#include <maskgrad/optim/train/failure.hpp>

#include <fmt/format.h>

#include <cmath>
#include <typeinfo>

#include <maskgrad/optim/train/steps.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::size_t most_named = 8;     // sequences in a message
constexpr std::int64_t most_tried = 256;  // sequences of a batch that are looked at alone

template <class E>
void throw_as(const Error& error, const std::string& text) {
  if (typeid(error) == typeid(E)) throw E(error.where, error.layer, text);
}

bool fails_alike(const Error& error, const ModelRef& model, const TrainingLoss& loss,
                 const Batch& part) {
  try {
    const double value = loss(part, model(part.inputs)).value();
    return !std::isfinite(value) && typeid(error) == typeid(GradError);
  } catch (const Error& other) {
    return typeid(other) == typeid(error);
  } catch (const std::exception&) {
    return false;
  }
}

/// Functions of one's own may count their calls, and carried states go by the batch.
bool can_be_tried(const ModelRef& model, const TrainingLoss& loss, const Batch& batch) {
  bool stateful = false;
  model.visit([&](const LayerView& view) { stateful = stateful || view.carried; });
  return !stateful && loss.by_name() && batch.size() > 1 && batch.size() <= most_tried;
}

/// How data and a model of other types are brought together; empty where they are of one.
std::string types_apart(const Error& error, const ModelRef& model, const Batch& batch) {
  if (typeid(error) != typeid(TypeError)) return {};
  const auto& weights = model.parameters();
  if (weights.empty()) return {};
  const auto own = weights.front().dtype();
  Tensors all = batch.inputs;
  all.push_back(batch.target);
  for (const auto& x : all) {
    if (!x.defined() || !is_real(x.dtype()) || x.dtype() == own) continue;
    return fmt::format(
        "\n  the data are {0}, the model {1}: build it with Spec::{0}, or cast the data: "
        "data.map("
        "[](mg::Batch b) {{ for (auto& x : b.inputs) x = mg::cast(x, mg::DType::{1}); return b; "
        "}}), "
        "and b.target where it is no class",
        name(x.dtype()), name(own));
  }
  return {};
}

}  // namespace

void throw_again(const Error& error, const std::string& before, const std::string& after) {
  const std::string text = before + error.what() + after;
  if (const auto* of_memory = dynamic_cast<const MemoryError*>(&error)) {
    throw MemoryError(error.where, error.layer, text, of_memory->wanted, of_memory->held);
  }
  throw_as<ShapeError>(error, text);
  throw_as<TypeError>(error, text);
  throw_as<MaskError>(error, text);
  throw_as<OptionError>(error, text);
  throw_as<IndexError>(error, text);
  throw_as<GradError>(error, text);
  throw_as<StateError>(error, text);
  throw_as<FileError>(error, text);
  throw_as<Error>(error, text);
  throw;  // a type of someone's own stays what it is
}

std::string sequences_at_fault(const Error& error, const ModelRef& model, const TrainingLoss& loss,
                               const Batch& batch) {
  std::vector<std::int64_t> named;
  if (can_be_tried(model, loss, batch)) {
    const Evaluate evaluate;
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      if (!fails_alike(error, model, loss, part_of(batch, i, i + 1))) continue;
      named.push_back(batch.samples[static_cast<std::size_t>(i)]);
    }
  }
  const std::string types = types_apart(error, model, batch);
  const bool told = !named.empty() && named.size() < batch.samples.size();
  if (!told) named = batch.samples;
  if (named.empty()) return types;
  const auto more = named.size() > most_named ? named.size() - most_named : 0;
  named.resize(named.size() - more);
  return types +
         fmt::format(
             "\n  {} sequence{} {}{} of the data{}", told ? "in" : "the batch has",
             named.size() + more == 1 ? "" : "s", fmt::join(named, ", "),
             more > 0 ? fmt::format(" and {} more", more) : "",
             told ? ", which fail" + std::string(named.size() == 1 ? "s" : "") + " alone too" : "");
}

}  // namespace maskgrad::detail
