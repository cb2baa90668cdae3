#include <maskgrad/layers/model/flow.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace maskgrad {
namespace {

bool inside(const std::string& path, const std::string& outer) {
  return path.size() > outer.size() && path.starts_with(outer) && path[outer.size()] == '/';
}

/// A layer is traced when it ends, so after those that it called: puts it before them.
void outer_first(std::vector<detail::Trace::Step>& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::size_t first = i;
    while (first > 0 && inside(steps[first - 1].path, steps[i].path)) --first;
    const auto begin = steps.begin() + static_cast<std::ptrdiff_t>(first);
    std::rotate(begin, steps.begin() + static_cast<std::ptrdiff_t>(i),
                steps.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
}

bool same(const Tensor& a, const Tensor& b) {
  return &a.impl() == &b.impl();
}

}  // namespace

Flow::Flow(std::vector<detail::Trace::Step> steps, Tensors inputs, Tensors outputs)
    : steps_(std::move(steps)), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
  outer_first(steps_);
  std::size_t outer = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    nested_.push_back(i > 0 && inside(steps_[i].path, steps_[outer].path));
    if (!nested_.back()) outer = i;
  }
  connect();
}

/// The result that `x` is; where it is none, the results that nothing has read yet.
std::vector<Flow::Source> Flow::find(const Tensor& x, std::size_t before,
                                     const std::vector<bool>& read) const {
  for (std::size_t at = 0; at < inputs_.size(); ++at) {
    if (same(inputs_[at], x)) return {{-1, at, false}};
  }
  for (std::size_t i = before; i-- > 0;) {
    if (nested_[i]) continue;
    for (std::size_t at = 0; at < steps_[i].outputs.size(); ++at) {
      if (same(steps_[i].outputs[at], x)) return {{static_cast<int>(i), at, false}};
    }
  }
  std::vector<Source> likely;
  for (std::size_t i = 0; i < before; ++i) {
    if (!nested_[i] && !read[i]) likely.push_back({static_cast<int>(i), 0, true});
  }
  if (likely.empty() && !inputs_.empty()) likely.push_back({-1, 0, true});
  return likely;
}

void Flow::connect() {
  std::vector<bool> read(steps_.size());
  const auto sources_of = [&](const Tensors& xs, std::size_t before) {
    std::vector<Source> all;
    for (const auto& x : xs) {
      for (const auto& source : find(x, before, read)) {
        const bool known = std::any_of(all.begin(), all.end(), [&](const Source& s) {
          return s.step == source.step && s.at == source.at;
        });
        if (!known) all.push_back(source);
      }
    }
    for (const auto& source : all) {
      if (source.step >= 0) read[static_cast<std::size_t>(source.step)] = true;
    }
    return all;
  };
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    sources_.push_back(nested_[i] ? std::vector<Source>() : sources_of(steps_[i].inputs, i));
  }
  sources_.push_back(sources_of(outputs_, steps_.size()));
}

std::vector<std::size_t> Flow::before_the_mask() const {
  std::vector<bool> found(steps_.size());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const bool makes = steps_[i].contract.role == MaskRole::produces && !nested_[i] &&
                       !steps_[i].inputs[0].has_mask() && steps_[i].outputs[0].has_mask();
    if (!makes) continue;
    std::vector<Source> open = sources_[i];
    while (!open.empty()) {
      const int at = open.back().step;
      open.pop_back();
      if (at < 0 || found[static_cast<std::size_t>(at)]) continue;
      const auto step = static_cast<std::size_t>(at);
      found[step] = true;
      open.insert(open.end(), sources_[step].begin(), sources_[step].end());
    }
  }
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (found[i] && steps_[i].has_weights) all.push_back(i);
  }
  return all;
}

std::string shape_and_mask(const Tensor& x) {
  std::string text = fmt::format("{}{}", name(x.dtype()), x.shape());
  if (x.has_mask()) text += fmt::format(" mask {}", x.mask().shape());
  return text;
}

}  // namespace maskgrad
