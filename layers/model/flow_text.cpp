#include <fmt/format.h>

#include <algorithm>
#include <map>

#include <maskgrad/core/quoted.hpp>
#include <maskgrad/layers/model/flow.hpp>
#include <maskgrad/layers/model/model.hpp>

namespace maskgrad {
namespace {

std::string joined(const Tensors& xs) {
  std::string text;
  for (const auto& x : xs) text += (text.empty() ? "" : "; ") + shape_and_mask(x);
  return text;
}

/// Columns as wide as their widest cell; the last one ends where it ends.
std::string aligned(std::vector<std::vector<std::string>> rows) {
  constexpr std::size_t widest = 400;  // names are the users' and may be anything
  std::vector<std::size_t> width;
  for (auto& row : rows) {
    for (auto& cell : row) cell = detail::printable(cell, widest);
    width.resize(std::max(width.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t c = 0; c + 1 < row.size(); ++c) {
      text += fmt::format("{:<{}}  ", row[c], width[c]);
    }
    text += row.back() + "\n";
  }
  return text;
}

/// Counts values of parameters, each once, by the layers that they are of.
class Counts {
 public:
  explicit Counts(const std::vector<detail::LayerView>& layers) {
    for (const auto& view : layers) views_.emplace(view.path, &view);
  }
  /// Those of the layer and of the layers inside it that were not counted before.
  std::int64_t of(const std::string& path) {
    std::int64_t own = 0;
    const auto [first, last] = views_.equal_range(path);
    for (auto at = first; at != last; ++at) own += of(*at->second);
    const std::string inside = path + "/";
    for (auto at = views_.lower_bound(inside); at != views_.end(); ++at) {
      if (!at->first.starts_with(inside)) break;
      own += of(*at->second);
    }
    return own;
  }
  /// Those of layers that were not called.
  void others() {
    for (const auto& entry : views_) of(*entry.second);
  }

  std::int64_t trained = 0, frozen = 0, states = 0;

 private:
  std::int64_t of(const detail::LayerView& view) {
    std::int64_t own = 0;
    for (const auto& entry : view.parameters) {
      const Parameter& p = *entry.second;
      if (!first_(p)) continue;
      const auto size = p.shape().count();
      (p.is_state() ? states : p.trainable() ? trained : frozen) += size;
      own += size;
    }
    return own;
  }

  std::multimap<std::string, const detail::LayerView*> views_;
  detail::FirstTime first_;
};

std::string warning(const Flow& flow) {
  std::string text;
  for (const auto i : flow.before_the_mask()) {
    text += fmt::format(
        "{} {} stands before the mask is made: its weights see the padding. Put it behind\n",
        flow.steps()[i].kind, detail::in_quotes(flow.steps()[i].path));
  }
  return text;
}

std::string mask_of(const detail::Trace::Step& step) {
  const auto shape = [](const Tensors& xs) {
    const auto at = std::find_if(xs.begin(), xs.end(), [](const auto& x) { return x.has_mask(); });
    return at == xs.end() ? std::string("none") : at->mask().shape().str();
  };
  const std::string in = shape(step.inputs), out = shape(step.outputs);
  return in == out ? out : in + " -> " + out;
}

}  // namespace

namespace detail {
std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

}  // namespace detail

using detail::grouped;

std::string Flow::table() const {
  std::vector<std::vector<std::string>> rows{{"layer", "mask", "steps read", "in", "   out"}};
  for (const auto& s : steps_) {
    rows.push_back({s.path, std::string(name(s.contract.role)), s.time.str(), joined(s.inputs),
                    "-> " + joined(s.outputs)});
  }
  return aligned(rows) + warning(*this);
}

std::string Flow::summary(const std::vector<detail::LayerView>& layers) const {
  Counts counts(layers);
  std::vector<std::vector<std::string>> rows{
      {"layer", "kind", "result", "mask", "steps read", "parameters"}};
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (nested_[i]) continue;
    const auto& s = steps_[i];
    std::string shapes;
    for (const auto& y : s.outputs) {
      shapes += (shapes.empty() ? "" : "; ") + std::string(name(y.dtype())) + y.shape().str();
    }
    const auto own = counts.of(s.path);
    const bool shared = own == 0 && s.has_weights;
    rows.push_back(
        {s.path, s.kind, shapes, mask_of(s), s.time.str(), shared ? "shared" : grouped(own)});
  }
  counts.others();
  const auto trained = counts.trained, frozen = counts.frozen, states = counts.states;
  std::string text = aligned(rows);
  text += fmt::format("{} parameters: {} trained", grouped(trained + frozen + states),
                      grouped(trained));
  if (frozen > 0) text += fmt::format(", {} frozen", grouped(frozen));
  if (states > 0) text += fmt::format(", {} states", grouped(states));
  return text + "\n" + warning(*this);
}

}  // namespace maskgrad
