// What does a layer do with a mask, and which steps does it read? `mask_support` lists all, `mask_support GRU` says all of one,
// `mask_support model.safetensors` what a saved model does with one, layer by layer, and where it
// is refused; `mask_support --page` writes layers/README.md.

#include <fmt/core.h>

#include <filesystem>
#include <maskgrad/maskgrad.hpp>

namespace mg = maskgrad;

namespace {

constexpr const char* page =
    R"(# What each layer does with a mask, and with steps that are not there yet

Made by `build/samples/mask_support --page > layers/README.md` from the contracts in the layers' classes;
a test fails where it is stale. The laws in `autograd/laws/laws.hpp` hold each layer to its contract.

- **produces** a mask · **propagates**: stays inside a row, never looks at it · **supports**: reads it and
  passes it on · **consumes**: reads it, and it ends over the axes that are crossed · **unsupported**: refuses
  it when the graph is built.
- The role is that under a mask `[batch, time]`. A mask `[batch]` is one over whole samples, a full mask one
  over single values.
- The steps read are those before (back) and behind (ahead) an output's own: what a layer does with steps
  that are not there yet, when a sequence comes in pieces (`mg::Stream`). Law 8 holds each layer to it.
- `x.drop_mask("why")` ends a mask by hand, everywhere.

| layer | role | why | the mask is | steps read | under `[batch]` | under a full mask | where it refuses | Keras 3 |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
)";

std::string differs(const mg::MaskContract& contract, mg::MaskRole role) {
  return role == contract.role ? "the same" : std::string(mg::name(role));
}

/// The flow of masks through the model, or the refusal.
std::string flow_or_refusal(mg::AnyLayer& model, const std::vector<mg::Spec>& inputs) {
  try {
    return mg::mask_flow(model, inputs).table();
  } catch (const mg::Error& refusal) {
    return fmt::format("refused: {}\n", refusal.what());
  }
}

/// A saved model: as it was built, and where that was without masks, under those over samples and
/// over steps.
void print_model(const std::filesystem::path& file) {
  mg::AnyLayer model = mg::load_any_model(file);
  const auto& inputs = model.built_with()->inputs;
  std::string given;
  bool masked = false;
  for (const auto& spec : inputs) {
    given += (given.empty() ? "" : ", ") + mg::shape_and_mask(spec.meta());
    masked = masked || spec.mask_axes() >= 0;
  }
  fmt::print("{}: {}, built for {}\n{}", file.string(), model.kind(), given,
             flow_or_refusal(model, inputs));
  if (masked) return;
  for (const int axes : {2, 1}) {
    auto under = inputs;
    bool fits = true;
    for (auto& spec : under) {
      fits = fits && spec.shape().rank() > axes;
      if (fits) spec = spec.masked(axes);
    }
    if (!fits) continue;
    fmt::print("\nunder a mask [{}]:\n{}", axes == 2 ? "batch, time" : "batch",
               flow_or_refusal(model, under));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view asked = argc == 2 ? argv[1] : "";
  if (argc > 2 || (asked.starts_with('-') && asked != "--page")) {
    const bool help = asked == "--help" || asked == "-h";
    fmt::print(help ? stdout : stderr, "usage: mask_support [LAYER | FILE.safetensors | --page]\n");
    return help ? 0 : 2;
  }
  try {
    if (asked == "--page") {
      fmt::print("{}", page);
      for (const auto& layer : mg::registered_layers()) {
        const auto& c = layer.contract;
        fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", layer.kind, mg::name(c.role),
                   c.why, layer.after(), layer.time.of_class(), differs(c, c.under_sample()),
                   differs(c, c.under_full()), c.ways_out, c.keras.empty() ? "the same" : c.keras);
      }
    } else if (asked.ends_with(".safetensors")) {
      print_model(asked);
    } else if (!asked.empty()) {
      fmt::print("{}", mg::mask_support(asked).str());
    } else {
      for (const auto& layer : mg::registered_layers()) fmt::print("{}\n", layer.line());
    }
  } catch (const mg::Error& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
  return 0;
}
