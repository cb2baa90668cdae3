#include <maskgrad/layers/model/trace.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <maskgrad/core/context.hpp>

namespace maskgrad {
namespace {

thread_local Trace* listening = nullptr;

std::string edge(const Tensors& xs) {
  std::string text;
  for (const auto& x : xs) {
    if (!text.empty()) text += "; ";
    text += fmt::format("{}{}", name(x.dtype()), x.shape());
    if (x.has_mask()) text += fmt::format(" mask {}", x.mask().shape());
  }
  return text;
}

}  // namespace

Trace::Trace() : before_(std::exchange(listening, this)) {}
Trace::~Trace() {
  listening = before_;
}
Trace* Trace::current() {
  return listening;
}

void Trace::add(const LayerScope& layer, const MaskContract& contract, const Tensors& inputs,
                const Tensors& outputs) {
  Step step{std::string(layer.kind()), std::string(layer.path()), contract, {}, {}};
  for (const auto& x : inputs) step.inputs.push_back(x.value());
  for (const auto& y : outputs) step.outputs.push_back(y.value());
  steps_.push_back(std::move(step));
}

std::string Trace::table() const {
  std::size_t path = 5, in = 2;
  for (const auto& s : steps_) {
    path = std::max(path, s.path.size());
    in = std::max(in, edge(s.inputs).size());
  }
  std::string text =
      fmt::format("{:<{}}  {:<11}  {:<{}}     {}\n", "layer", path, "mask", "in", in, "out");
  for (const auto& s : steps_) {
    text += fmt::format("{:<{}}  {:<11}  {:<{}}  -> {}\n", s.path, path, name(s.contract.role),
                        edge(s.inputs), in, edge(s.outputs));
  }
  return text;
}

}  // namespace maskgrad
