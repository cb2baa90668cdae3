#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/core/io/checksum.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/layers/layer/stream_rows.hpp>
#include <maskgrad/layers/model/stream.hpp>
#include <maskgrad/layers/model/stream_arrays.hpp>
#include <maskgrad/layers/model/stream_state.hpp>

// The state of a stream in a file.

namespace maskgrad {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view in_save = "Stream, save_state", in_load = "Stream, load_state";

/// Of all weights as they are now.
std::string weights_sum(const detail::StreamedModel& model) {
  std::uint32_t sum = 0;
  model.visit([&](const detail::LayerView& view) {
    for (const auto& [path, p] : view.parameters) {
      if (!p->defined()) continue;
      const auto& storage = p->tensor().impl().storage;
      const auto bytes = static_cast<std::size_t>(rows::total(p->tensor())) * size_of(p->dtype());
      sum = detail::crc32(sum, {storage.data(), bytes});
    }
  });
  return fmt::format("{:08x}", sum);
}

/// Where the notes of a file differ from what the stream's own would be; empty: nowhere.
std::string differences(const detail::StreamNotes& there, const detail::StreamNotes& here) {
  std::string text;
  const auto compare = [&text](std::string_view what, const auto& a, const auto& b) {
    if (a != b) text += fmt::format("\n  {}: {} there, {} here", what, a, b);
  };
  compare(".sequences", there.sequences, here.sequences);
  compare(".batch_invariant", there.batch_invariant, here.batch_invariant);
  const auto layers = detail::first_difference(there.layers, here.layers);
  if (!layers.empty()) {
    text += "\n  the model: " + layers;
  } else {
    compare("the checksum of the weights", there.weights, here.weights);
  }
  return text;
}

/// Whether a tensor can stand where a stream that saw no step has `like`: the same but for the number
/// of steps, and for a mask over sequences, which comes and goes with results.
bool stands_for(const Tensor& x, const Tensor& like, bool room) {
  if (x.dtype() != like.dtype() || x.rank() != like.rank()) return false;
  const int mask_rank = rows::mask_rank(x), own = rows::mask_rank(like);
  const bool both = mask_rank == 2 && own == 2;
  const bool single = x.rank() > 1 && x.shape()[1] == 1 && like.shape()[1] == 1;
  if ((mask_rank == 2 || own == 2) && !both && !single && !room) return false;
  for (int axis = room || both ? 2 : 1; axis < x.rank(); ++axis) {
    if (x.shape()[axis] != like.shape()[axis]) return false;
  }
  return true;
}

/// Whether `kept` can be what a layer has that keeps `like` before the first step. Where it keeps
/// nothing then, the layer looks at what it has when it runs.
bool stands_for(const extend::StreamSlot& kept, const extend::StreamSlot& like) {
  if (like.tensors.empty()) return !kept.room;
  // Keys and values may come as steps, without room and thus without their number.
  const auto count = like.tensors.size() - (like.room && !kept.room ? 1 : 0);
  if (kept.tensors.size() != count || (kept.room && !like.room)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const bool room = like.room && i + 1 < like.tensors.size();
    if (!stands_for(kept.tensors[i], like.tensors[i], room)) return false;
  }
  return true;
}

bool stands_for(const detail::MadeOfContext& made, const detail::MadeOfContext& like) {
  if (made.of.size() != like.of.size() || made.tensors.size() != like.tensors.size()) return false;
  for (std::size_t i = 0; i < made.tensors.size(); ++i) {
    const Tensor &x = made.tensors[i], &y = like.tensors[i];
    if (!detail::are_alike({x, y}) || x.shape()[0] != y.shape()[0]) return false;
    if (rows::mask_rank(y) == 2 && x.mask().lengths() != y.mask().lengths()) return false;
  }
  return true;
}

StreamState state_in(detail::StreamArraysIn& file, const detail::StreamNotes& notes) {
  StreamState state;
  state.steps = notes.steps;
  state.inputs = file.all("inputs");
  auto& constants = state.constants;
  constants.context = file.all("context");
  constants.context_of = notes.context_of;
  constants.contexts = notes.contexts;
  for (const auto& place : notes.slots) state.slots[place] = file.slot(place);
  for (const auto& place : notes.made) {
    constants.of_context[place] = {file.all("made/" + place), file.counts("of/" + place)};
  }
  file.finish();
  return state;
}

/// FileError unless the state has, place by place, what a stream has that saw no step.
void check_places(const detail::StreamArraysIn& file, const StreamState& state,
                  const StreamState& fresh) {
  for (const auto& [place, slot] : state.slots) {
    const auto like = fresh.slots.find(place);
    if (like == fresh.slots.end() || !stands_for(slot, like->second)) {
      file.refuse("slot/" + place, "what a layer keeps there");
    }
  }
  for (const auto& [place, made] : state.constants.of_context) {
    const auto like = fresh.constants.of_context.find(place);
    if (like == fresh.constants.of_context.end() || !stands_for(made, like->second)) {
      file.refuse("made/" + place, "what is made of the context there");
    }
  }
  for (const auto& [place, slot] : fresh.slots) {
    if (!slot.tensors.empty() && !state.slots.contains(place)) {
      file.refuse("slot/" + place, "what a layer keeps there");
    }
  }
}

}  // namespace

void Stream::check_file(std::string_view where, const fs::path& path) const {
  if (path.extension() != ".safetensors") {
    fail<OptionError>(where, "'{}' ends in '{}'; expected .safetensors", path.string(),
                      path.extension().string());
  }
  if (!model_) fail<StateError>(where, "it was moved away; use what it was moved to");
  if (!training_) return;
  fail<StateError>(where,
                   "the stream trains, and no file keeps the gradients through its pushes; make "
                   "it under Evaluate, or keep its state() in memory");
}

void Stream::save_state(const fs::path& path) const {
  check_file(in_save, path);
  const auto& constants = state_.constants;
  detail::StreamNotes notes{.sequences = sequences(),
                            .batch_invariant = batch_invariant_,
                            .layers = detail::layer_lines(*model_),
                            .weights = weights_sum(*model_),
                            .steps = state_.steps,
                            .context_of = constants.context_of,
                            .contexts = constants.contexts};
  detail::StreamArraysOut out(notes);
  out.add("inputs", state_.inputs);
  out.add("context", constants.context);
  for (const auto& [place, slot] : state_.slots) out.add_slot(place, slot);
  for (const auto& [place, made] : constants.of_context) {
    if (made.tensors.empty()) continue;
    notes.made.push_back(place);
    out.add("made/" + place, made.tensors);
    out.add_counts("of/" + place, made.of);
  }
  write_safetensors(path, out.arrays(), detail::metadata_of(notes), Checksum::crc32);
}

void Stream::load_state(const fs::path& path) {
  check_file(in_load, path);
  const auto file = read_safetensors(path);
  const auto notes = detail::stream_notes_from(path, file.metadata);
  const auto differs = differences(notes, {.sequences = sequences(),
                                           .batch_invariant = batch_invariant_,
                                           .layers = detail::layer_lines(*model_),
                                           .weights = weights_sum(*model_)});
  if (!differs.empty()) {
    fail<FileError>(in_load, "{} is of another stream; nothing was changed{}", path.string(),
                    differs);
  }
  const Evaluate evaluate;
  try {
    detail::StreamArraysIn in(path, file.arrays, notes);
    StreamState state = state_in(in, notes);
    detail::check_state(in_load, state, state_);
    // The same stream before its first step says what stands where.
    Stream fresh = *this;
    fresh.state_ = {.steps = std::vector<std::int64_t>(state_.steps.size()),
                    .constants = {.context = state.constants.context,
                                  .context_of = state.constants.context_of,
                                  .contexts = state.constants.contexts}};
    if (!state.inputs.empty()) fresh.run(state.inputs, std::vector<bool>(state_.steps.size()));
    check_places(in, state, fresh.state_);
    state.model = model_;
    state_ = std::move(state);
  } catch (const FileError&) {
    throw;
  } catch (const Error& error) {
    fail<FileError>(in_load,
                    "{} does not hold the state of such a stream; nothing was changed ({})",
                    path.string(), error.what());
  }
}

}  // namespace maskgrad
