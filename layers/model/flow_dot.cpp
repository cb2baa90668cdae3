#include <fmt/format.h>

#include <maskgrad/core/quoted.hpp>
#include <maskgrad/layers/model/flow.hpp>

namespace maskgrad {
namespace {

std::string_view color(MaskRole role) {
  switch (role) {
    case MaskRole::produces:
      return "#b7e1b0";
    case MaskRole::propagates:
      return "#eeeeee";
    case MaskRole::supports:
      return "#b9d7f2";
    case MaskRole::consumes:
      return "#f9d9a8";
    case MaskRole::unsupported:
      return "#f4b6b6";
  }
  return "white";
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : detail::printable(text, 400)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string edge(const Flow& flow, const Flow::Source& source, const std::string& to) {
  const auto step = static_cast<std::size_t>(source.step);
  const Tensor& x =
      source.step < 0 ? flow.inputs()[source.at] : flow.steps()[step].outputs[source.at];
  const std::string from =
      source.step < 0 ? fmt::format("input{}", source.at) : fmt::format("step{}", source.step);
  std::string label = fmt::format("{}{}", name(x.dtype()), x.shape());
  if (x.has_mask()) label += fmt::format("\\nmask {}", x.mask().shape());
  return fmt::format("  {} -> {} [label=\"{}\"{}{}];\n", from, to, label,
                     x.has_mask() ? ", penwidth=3, color=\"#2f6fb0\"" : "",
                     source.through ? ", style=dashed" : "");
}

}  // namespace

std::string Flow::dot() const {
  std::string text =
      "digraph mask_flow {\n"
      "  // Thick: a mask flows. Dashed: through operations that belong to no layer.\n"
      "  node [shape=box, style=filled, fontname=\"sans-serif\"];\n"
      "  edge [fontname=\"sans-serif\", fontsize=10];\n";
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    text += fmt::format("  input{} [label=\"input {}\", shape=oval, fillcolor=white];\n", i, i);
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (nested_[i]) continue;
    const auto& s = steps_[i];
    text += fmt::format("  step{} [label=\"{}\\n{}\\n{}\", tooltip=\"{}\", fillcolor=\"{}\"];\n", i,
                        escaped(s.path), s.kind, name(s.contract.role), escaped(s.contract.why),
                        color(s.contract.role));
  }
  text += "  output [label=\"output\", shape=oval, fillcolor=white];\n";
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    for (const auto& source : sources(i)) text += edge(*this, source, fmt::format("step{}", i));
  }
  for (const auto& source : output_sources()) text += edge(*this, source, "output");
  return text + "}\n";
}

}  // namespace maskgrad
