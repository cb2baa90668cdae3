#include <maskgrad/layers/registry/mask_support.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/registry/registry.hpp>

namespace maskgrad {
namespace {

/// The list, while nobody else has it: threads may register and ask at one time.
class List {
 public:
  List() : lock_(mutex()) {}
  std::vector<RegisteredLayer>& operator*() const {
    static std::vector<RegisteredLayer> layers = builtin_layers();
    return layers;
  }

 private:
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  std::lock_guard<std::mutex> lock_;
};

}  // namespace

std::string MaskSupport::line() const {
  return fmt::format("{:<24}{:<13}{}", kind, name(contract.role), contract.why);
}

std::string_view MaskSupport::after() const {
  if (!contract.after.empty()) return contract.after;
  switch (contract.role) {
    case MaskRole::produces:
      return "made here; AND where one comes in";
    case MaskRole::propagates:
      return "passed on as it is";
    case MaskRole::supports:
      return "read, and passed on";
    case MaskRole::consumes:
      return "read, and ends; [batch] stays where a sequence has no valid step";
    case MaskRole::unsupported:
      return "refused when the graph is built";
  }
  return "";
}

std::string MaskSupport::str() const {
  std::string text = fmt::format("{}: {}\n", kind, name(contract.role));
  auto row = [&](std::string_view what, std::string_view is) {
    text += fmt::format("  {:<31}{}\n", what, is);
  };
  row("why", contract.why);
  row("the mask is", after());
  row("mask [batch, time]", name(contract.role));
  row("mask [batch]", name(contract.under_sample()));
  row("mask [batch, time, features]", name(contract.under_full()));
  row("steps that are read", time.of_class());
  if (!time.state.empty()) row("a stream keeps", time.state);
  if (!time.streamable() && !time.why.empty()) row("why it does not stream", time.why);
  if (!contract.ways_out.empty()) row("where it refuses", contract.ways_out);
  if (!contract.keras.empty()) row("Keras 3", contract.keras);
  return text;
}

std::vector<RegisteredLayer> registered_layers() {
  return *List();
}

void register_layer(const RegisteredLayer& layer) {
  const List list;
  for (const auto& known : *list) {
    if (known.kind == layer.kind) {
      fail<OptionError>("register_layer", "there is a layer '{}' already; choose another kind",
                        layer.kind);
    }
  }
  (*list).push_back(layer);
}

MaskSupport mask_support(std::string_view kind) {
  std::vector<std::string_view> names;
  for (const auto& known : registered_layers()) {
    if (known.kind == kind) return known;
    names.push_back(known.kind);
  }
  fail<OptionError>("mask_support", "there is no layer '{}'; {}", kind, nearest_hint(kind, names));
}

}  // namespace maskgrad
