#include <maskgrad/optim/train/report/flow_drawing.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include <maskgrad/optim/train/report/html.hpp>

namespace maskgrad::report {
namespace {

// As the style sheet has them.
constexpr int box = 52, gap = 38, lane_width = 16;

std::string shape(const Tensor& x) {
  return fmt::format("<code>{}{}</code>", name(x.dtype()), x.shape());
}

std::string shape_and_mask_of(const Tensor& x) {
  if (!x.has_mask()) return shape(x);
  return shape(x) + fmt::format(" <code class=\"masked\">mask {}</code>", x.mask().shape());
}

std::string all_of(const Tensors& xs) {
  std::string text;
  for (const auto& x : xs) text += (text.empty() ? "" : "<br>") + shape_and_mask_of(x);
  return text;
}

std::string pill(MaskRole role) {
  return fmt::format("<span class=\"role {0}\">{0}</span>", name(role));
}

/// A line from the box `from` to the box `to` below it, by number from the top.
struct Edge {
  std::size_t from = 0, to = 0;
  const Tensor* carried = nullptr;
  bool through = false;
  std::size_t lane = 0;  ///< of those that pass boxes by: 1 is next to the boxes

  std::string classes() const {
    return std::string(carried->has_mask() ? " mask" : "") + (through ? " through" : "");
  }
};

class FlowDrawing {
 public:
  explicit FlowDrawing(const Flow& flow) : flow_(flow), box_of_(flow.steps().size()) {
    const auto inputs = flow.inputs().size();
    std::size_t boxes = inputs;
    for (std::size_t i = 0; i < flow.steps().size(); ++i) {
      if (!flow.nested(i)) box_of_[i] = boxes++;
    }
    output_ = boxes;
    for (std::size_t i = 0; i < flow.steps().size(); ++i) {
      for (const auto& source : flow.sources(i)) connect(source, box_of_[i]);
    }
    for (const auto& source : flow.output_sources()) connect(source, output_);
    give_lanes();
  }

  std::string html() const {
    std::string text = fmt::format("<div class=\"flow\">\n{}<ol>\n", arcs());
    for (std::size_t i = 0; i < flow_.inputs().size(); ++i) {
      const auto number = flow_.inputs().size() > 1 ? fmt::format(" {}", i) : std::string();
      text += fmt::format("<li class=\"end\"><b>input{}</b></li>\n", number);
      text += below(i, {flow_.inputs()[i]});
    }
    for (std::size_t i = 0; i < flow_.steps().size(); ++i) {
      if (flow_.nested(i)) continue;
      const auto& step = flow_.steps()[i];
      text += fmt::format(
          "<li class=\"step {0}\" title=\"{1}\"><div><b>{2}</b><small>{3}</small></div>"
          "<i>{0}</i></li>\n",
          name(step.contract.role), escaped(step.contract.why), escaped(step.path),
          escaped(step.kind));
      text += below(box_of_[i], step.outputs);
    }
    return text + "<li class=\"end\"><b>output</b></li>\n</ol></div>\n";
  }

 private:
  void connect(const Flow::Source& source, std::size_t to) {
    const auto step = static_cast<std::size_t>(source.step);
    const bool input = source.step < 0;
    const Tensor& x = input ? flow_.inputs()[source.at] : flow_.steps()[step].outputs[source.at];
    edges_.push_back({input ? source.at : box_of_[step], to, &x, source.through, 0});
  }

  /// The short ones inside, so that lines cross as little as can be.
  void give_lanes() {
    std::vector<Edge*> arcs;
    for (auto& edge : edges_) {
      if (edge.to != edge.from + 1) arcs.push_back(&edge);
    }
    std::stable_sort(arcs.begin(), arcs.end(), [](const Edge* a, const Edge* b) {
      return a->to - a->from < b->to - b->from;
    });
    for (std::size_t i = 0; i < arcs.size(); ++i) {
      for (std::size_t lane = 1; arcs[i]->lane == 0; ++lane) {
        const bool taken = std::any_of(arcs.begin(), arcs.begin() + static_cast<std::ptrdiff_t>(i),
                                       [&](const Edge* other) {
                                         return other->lane == lane && other->from <= arcs[i]->to &&
                                                arcs[i]->from <= other->to;
                                       });
        if (!taken) arcs[i]->lane = lane;
      }
      lanes_ = std::max(lanes_, arcs[i]->lane);
    }
  }

  std::string arcs() const {
    if (lanes_ == 0) return "";
    const auto wide = static_cast<int>(lanes_ + 1) * lane_width;
    const auto tall = static_cast<int>(output_ + 1) * (box + gap) - gap;
    std::string text =
        fmt::format("<svg width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n", wide, tall);
    for (const auto& edge : edges_) {
      if (edge.lane == 0) continue;
      const int x = wide - static_cast<int>(edge.lane) * lane_width - 4;
      const int from = static_cast<int>(edge.from) * (box + gap) + box / 2 + 12;
      const int to = static_cast<int>(edge.to) * (box + gap) + box / 2 - 8;
      text += fmt::format(
          "<path class=\"arc{0}\" d=\"M{1} {2}H{3}Q{4} {2} {4} {5}V{6}Q{4} {7} {3} {7}H{8}\">"
          "<title>{9}</title></path><path class=\"tip{0}\" d=\"M{8} {10}l8 7l-8 7z\"/>\n",
          edge.classes(), wide, from, x + 8, x, from + 8, to - 8, to, wide - 8,
          shape_and_mask(*edge.carried), to - 7);
    }
    return text + "</svg>\n";
  }

  /// What a box gives, and the line from it to the next one, where there is one.
  std::string below(std::size_t from, const Tensors& given) const {
    std::string line;
    for (const auto& edge : edges_) {
      if (edge.from != from || edge.lane != 0) continue;
      line = fmt::format("<div class=\"line{}\"{}></div>", edge.classes(),
                         edge.through ? " title=\"through operations of no layer\"" : "");
    }
    const auto more = given.size() > 1 ? fmt::format("<small>and {} more</small>", given.size() - 1)
                                       : std::string();
    return fmt::format("<li class=\"edge\">{}{}{}</li>\n", line,
                       given.empty() ? "" : shape_and_mask_of(given[0]), more);
  }

  const Flow& flow_;
  std::vector<std::size_t> box_of_;  ///< of each step
  std::size_t output_ = 0;
  std::vector<Edge> edges_;
  std::size_t lanes_ = 0;
};

/// What the colors mean, of the roles that the model has.
std::string legend(const Flow& flow) {
  constexpr std::pair<MaskRole, std::string_view> meanings[] = {
      {MaskRole::produces, "makes a mask"},
      {MaskRole::propagates, "stays inside a row"},
      {MaskRole::supports, "reads the mask and gives it on"},
      {MaskRole::consumes, "reads the mask, which ends there"},
      {MaskRole::unsupported, "refuses a mask"},
  };
  std::string text = "<div class=\"roles\">";
  for (const auto& [role, meaning] : meanings) {
    const bool there = std::any_of(flow.steps().begin(), flow.steps().end(),
                                   [r = role](const auto& s) { return s.contract.role == r; });
    if (there) text += fmt::format("<span>{} {}</span>", pill(role), meaning);
  }
  return text + "<span>thick: a mask flows</span></div>\n";
}

std::string table(const Flow& flow) {
  std::string text =
      "<div class=\"wide calls\"><table>\n<thead><tr><th>layer</th><th>kind</th><th>mask</th>"
      "<th>in</th><th>out</th><th>why</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < flow.steps().size(); ++i) {
    const auto& step = flow.steps()[i];
    text += fmt::format(
        "<tr><td>{}{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
        "<td class=\"soft\">{}</td></tr>\n",
        flow.nested(i) ? "&emsp;" : "", escaped(step.path), escaped(step.kind),
        pill(step.contract.role), all_of(step.inputs), all_of(step.outputs),
        escaped(step.contract.why));
  }
  return text + "</tbody></table></div>\n";
}

}  // namespace

std::string draw(const Flow& flow) {
  std::string text = "<div class=\"box\">\n";
  for (const auto i : flow.before_the_mask()) {
    text += fmt::format(
        "<p class=\"note\">{} '{}' stands before the mask is made: its weights see the padding. "
        "Put it behind</p>\n",
        escaped(flow.steps()[i].kind), escaped(flow.steps()[i].path));
  }
  return text + legend(flow) + FlowDrawing(flow).html() + table(flow) + "</div>\n";
}

}  // namespace maskgrad::report
