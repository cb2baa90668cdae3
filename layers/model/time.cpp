#include <maskgrad/layers/model/time.hpp>

#include <fmt/format.h>

#include <maskgrad/autograd/mode.hpp>

namespace maskgrad::detail {
namespace {

/// `Bidirectional 'encoder/bidirectional'`.
std::string title(const LayerView& view) {
  return view.path.empty() ? std::string(view.kind) : fmt::format("{} '{}'", view.kind, view.path);
}

[[noreturn]] void refuse(const LayerView& view, std::string_view why, std::string_view ways_out) {
  fail<OptionError>("Stream", "{} does not stream: {}{}{}", title(view),
                    why.empty() ? "it reads steps that are not there yet" : why,
                    ways_out.empty() ? "" : "; ways out: ", ways_out);
}

/// The layer that stands in the way: the first that is no container, else the outermost.
const LayerView& culprit(const std::vector<LayerView>& layers) {
  for (const auto& view : layers) {
    if (view.is_layer() && !view.actions->answers_for_others && !view.time().streamable()) {
      return view;
    }
  }
  return layers.front();
}

/// Sequential, Functional and blocks line up what comes late; who computes by hand does not.
bool lines_up(const LayerView& view) {
  return view.kind == "Sequential" || view.kind == "Functional" ||
         view.kind == "TransformerEncoder" || view.kind == "TransformerDecoder";
}
/// Its layers see steps as samples, never the sequence.
bool hides_time(const LayerView& view) {
  return view.kind == "TimeDistributed";
}

/// Refuses what looks ahead inside of a layer of `around`, which stands at `at`. `no_steps`: what
/// cannot stream reads something else, context or a result so far.
void check_inside(const std::vector<LayerView>& layers, std::size_t at, bool no_steps) {
  const auto& around = layers[at];
  if (no_steps && around.is_layer() && !around.time().streamable()) return;
  const std::string inside = at == 0 ? "" : around.path + "/";  // the model's own may be left out
  for (std::size_t i = at + 1; i < layers.size() && layers[i].path.starts_with(inside); ++i) {
    const auto& view = layers[i];
    if (!view.is_layer()) continue;
    const auto time = view.time();
    if (time.look_ahead == 0 && time.stride == 1) continue;
    if (no_steps && !time.streamable()) continue;
    fail<OptionError>("Stream",
                      "{} does not stream: inside of it {} gives its steps late ({}), and only "
                      "Sequential and Functional wait for what comes late; ways out: a Functional "
                      "in its place · a causal layer inside",
                      around.kind.empty() ? "the model" : title(around), title(view), time.str());
  }
}

}  // namespace

void check_streams(const std::vector<LayerView>& layers, const TimeContract& time, bool context) {
  if (!time.streamable()) {
    const auto& view = culprit(layers);
    const bool layer = view.is_layer() && !view.actions->answers_for_others;
    const TimeContract own = layer ? view.time() : time;
    refuse(view, own.why, own.ways_out);
  }
  for (const auto& view : layers) {
    if (training() && time.evaluate_only && view.is_layer() && !view.actions->answers_for_others &&
        view.time().evaluate_only) {
      refuse(view, "in training it reads all steps of the batch",
             "mg::Evaluate while the stream is made and used");
    }
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!lines_up(layers[i]) && !hides_time(layers[i]))
      check_inside(layers, i, context || time.so_far);
  }
}

}  // namespace maskgrad::detail
