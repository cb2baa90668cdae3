#include <maskgrad/layers/layer/layer.hpp>

#include <maskgrad/core/io/place.hpp>

#include <fmt/format.h>

#include <cctype>

#include <maskgrad/layers/layer/trace.hpp>
#include <maskgrad/layers/layer/visit.hpp>

namespace maskgrad {
namespace {

std::string mask_text(const MaskContract& contract, const Tensor& x) {
  if (detail::role_under(contract, x) == contract.role) return "a mask";
  return x.mask().rank() == x.rank() ? "a mask over single values" : "a mask over samples";
}

}  // namespace

LayerInfo::LayerInfo(std::string_view kind, std::string name_)
    : name(name_.empty() ? detail::snake_case(kind) : std::move(name_)),
      path(name),
      named(name != detail::snake_case(kind)) {
  if (name.find('/') != std::string::npos) {
    fail<OptionError>(kind, "the name '{}' holds a '/', which parts names in a path", name);
  }
  if (!detail::is_utf8(name) || name.find('\0') != std::string::npos) {
    fail<OptionError>(kind, "the name {} is no UTF-8, or holds a NUL, which no file could keep",
                      detail::in_quotes(name));
  }
}

namespace detail {

std::string snake_case(std::string_view whole) {
  std::string kind;  // without what is no part of a word, as `<` and `>`
  for (const char c : whole) {
    const bool word = std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80);
    if (word) kind += c;
  }
  const auto lower = [&](std::size_t i) {
    return i < kind.size() && kind[i] >= 'a' && kind[i] <= 'z';
  };
  std::string text;
  for (std::size_t i = 0; i < kind.size(); ++i) {
    const char c = kind[i];
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && i > 0 && (lower(i - 1) || lower(i + 1))) text += '_';
    text += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

std::string layer_title() {
  const auto* layer = extend::LayerScope::current();
  return layer ? layer->title() : "a layer";
}

MaskRole role_under(const MaskContract& contract, const Tensor& x) {
  const int rank = x.mask().rank();
  if (rank == x.rank() && rank > 2) return contract.under_full();
  if (rank == x.rank() && is_real(x.dtype()) && rank > 1) return contract.under_full();
  return rank <= 1 ? contract.under_sample() : contract.role;
}

void admit(const MaskContract& contract, const Tensors& inputs) {
  for (const auto& x : inputs) {
    if (!x.has_mask() || role_under(contract, x) != MaskRole::unsupported) continue;
    refuse_mask(mask_text(contract, x), contract.why, contract.ways_out, inputs);
  }
}

void refuse_mask(std::string_view what, std::string_view why, std::string_view ways_out,
                 const Tensors& inputs) {
  const auto* layer = extend::LayerScope::current();
  const std::string title = layer_title();
  std::string shapes;
  for (const auto& input : inputs) shapes += fmt::format("\n  input  {}", input.describe());
  if (ways_out.empty()) ways_out = "x.drop_mask(\"why\") to compute on the padding as data";
  throw MaskError(title, layer ? std::string(layer->path()) : std::string(),
                  fmt::format("{} does not accept {} (unsupported: {}).{}\n  ways out: {}", title,
                              what, why, shapes, ways_out));
}

void refuse_unbuilt(const Tensor& x) {
  fail<StateError>(layer_title(),
                   "it has no parameters yet and was called with {}; call build(model, Spec, Seed) "
                   "on the model, or on the layer by itself, first",
                   x.describe());
}

std::string ChildNames::next(std::string_view name, bool of_kind) {
  std::string free(name);
  if (!of_kind) {
    taken_.insert(free);
    return free;
  }
  for (int n = 1; !taken_.insert(free).second; ++n) {
    free = std::string(name) + "_" + std::to_string(n);
  }
  return free;
}

void place_late(LayerInfo& info) {
  if (info.placed) return;
  if (auto* builder = Builder::current()) builder->place(info);
}

void check_predicting(std::string_view kind) {
  if (!training()) return;
  fail<StateError>(kind,
                   "it is const, so it can predict and not be trained; call predict(...), open an "
                   "Evaluate, or call it where it is not const");
}

void refuse_inputs(std::size_t count, std::string_view expected) {
  fail<ShapeError>(layer_title(), "got {} inputs; expected {}", count, expected);
}

void refuse_no_outputs() {
  const auto* layer = extend::LayerScope::current();
  fail<ShapeError>(
      layer ? layer->title() : "a model",
      "it gave no tensors; expected one or more. Return at least one from its forward");
}

void trace(const extend::LayerScope& layer, const MaskContract& contract, const TimeContract& time,
           bool has_weights, const Tensors& inputs, const Tensors& outputs) {
  if (auto* t = detail::Trace::current())
    t->add(layer, contract, time, has_weights, inputs, outputs);
}

}  // namespace detail
}  // namespace maskgrad
