#include <algorithm>
#include <numeric>

#include <maskgrad/layers/onnx/foreign.hpp>
#include <maskgrad/layers/pooling/edge_step.hpp>
#include <maskgrad/layers/reshaping/flatten.hpp>
#include <maskgrad/layers/reshaping/permute.hpp>

namespace maskgrad::onnx {

void read_pass(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (x) to.like(node, *x, x->node);
}

void read_transpose(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  Traced y = *x;
  auto perm = to.integers(node, "perm").value_or(std::vector<std::int64_t>());
  if (perm.empty()) {
    for (std::size_t i = x->axes.size(); i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  }
  if (perm.size() != x->axes.size()) return to.trouble(node, "its perm is not of its input");
  for (std::size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] < 0 || perm[i] >= static_cast<std::int64_t>(perm.size())) {
      return to.trouble(node, "its perm is not of its input");
    }
    y.axes[i] = x->axes[static_cast<std::size_t>(perm[i])];
  }
  to.put(node.outputs.empty() ? "" : node.outputs[0], std::move(y));
}

void read_squeeze(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  Traced y = *x;
  const auto axes = to.integers(node, "axes", 1);
  Roles left;
  for (std::size_t i = 0; i < x->axes.size(); ++i) {
    const auto rank = static_cast<std::int64_t>(x->axes.size()), at = static_cast<std::int64_t>(i);
    const bool named = !axes || std::any_of(axes->begin(), axes->end(), [&](std::int64_t a) {
      return a == at || a + rank == at;
    });
    if (named && x->axes[i] == Role::one) continue;
    if (named && axes) return to.trouble(node, "it takes away an axis that is not 1 here");
    left.push_back(x->axes[i]);
  }
  y.axes = left;
  to.put(node.outputs.empty() ? "" : node.outputs[0], std::move(y));
}

void read_unsqueeze(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  Traced y = *x;
  auto axes = to.integers(node, "axes", 1).value_or(std::vector<std::int64_t>());
  const auto rank = static_cast<std::int64_t>(x->axes.size() + axes.size());
  for (auto& a : axes) a += a < 0 ? rank : 0;
  std::sort(axes.begin(), axes.end());
  for (const auto a : axes) {
    if (a < 0 || a > static_cast<std::int64_t>(y.axes.size()) || y.axes.size() > 8) {
      return to.trouble(node, "its axes are not of its input");
    }
    y.axes.insert(y.axes.begin() + a, Role::one);
  }
  to.put(node.outputs.empty() ? "" : node.outputs[0], std::move(y));
}

namespace {

/// All values of a sample, [batch, steps and features in the file's order], as features.
bool flattened(Foreign& to, const Traced& x, const Roles& axes, Traced& y) {
  const bool steps_first = axes == Roles{Role::batch, Role::time, Role::features};
  if (!steps_first && axes != Roles{Role::batch, Role::features, Role::time}) return false;
  to.fix_steps();
  auto from = x.node;
  if (!steps_first) from = to.call(AnyLayer(Permute{{.dims = {2, 1}}}), {from});
  y.axes = {Role::batch, Role::features};
  y.node = to.call(AnyLayer(Flatten{}), {from});
  return true;
}

}  // namespace

void read_flatten(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  Traced y = *x;
  std::erase(y.axes, Role::one);
  const bool behind_batch =
      to.integer(node, "axis", 1) == 1 && !x->axes.empty() && x->axes[0] == Role::batch;
  if (!behind_batch ||
      (y.axes != Roles{Role::batch, Role::features} && !flattened(to, *x, y.axes, y))) {
    return to.trouble(node, "only steps and features behind the batch are flattened");
  }
  to.put(node.outputs.empty() ? "" : node.outputs[0], std::move(y));
}

/// Away with axes of 1, or two directions side by side as features.
void read_reshape(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  Traced y = *x;
  const auto shape = to.integers(node, "shape", 1);
  std::erase(y.axes, Role::one);
  const auto at = y.axis(Role::directions);
  const bool merges = y.side_by_side && at >= 0 && at + 1 < static_cast<int>(y.axes.size()) &&
                      y.axes[static_cast<std::size_t>(at) + 1] == Role::features;
  if (merges) {
    y.axes.erase(y.axes.begin() + at);
    y.side_by_side = false;
  }
  const bool flattens = shape && shape->size() == 2 && ((*shape)[0] == 0 || (*shape)[1] > 0) &&
                        flattened(to, *x, y.axes, y);
  const bool fits = shape ? shape->size() == y.axes.size() : merges;
  if (!flattens && (!fits || y.has(Role::directions))) {
    return to.trouble(node, "only axes of 1 and of directions are reshaped, and steps flattened");
  }
  to.put(node.outputs.empty() ? "" : node.outputs[0], std::move(y));
}

namespace {

/// One of two directions that are apart.
bool read_direction(Foreign& to, const Node& node, const Traced& x, std::int64_t which, bool keep) {
  const auto at = x.axis(Role::directions);
  if (at < 0 || x.side_by_side || which < -2 || which > 1) return false;
  Traced y = x;
  y.node = which == 0 || which == -2 ? x.node : x.second;
  y.axes[static_cast<std::size_t>(at)] = Role::one;
  if (!keep) y.axes.erase(y.axes.begin() + at);
  to.put(node.outputs.empty() ? "" : node.outputs[0], std::move(y));
  return true;
}

}  // namespace

/// A direction, or the first or last step.
void read_slice(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  const bool gather = node.op == "Gather";
  const auto first = gather ? to.integers(node, "indices", 1) : to.integers(node, "starts", 1);
  const auto end = to.integers(node, "ends", 2), axes = to.integers(node, "axes", 3);
  const auto rank = static_cast<std::int64_t>(x->axes.size());
  auto axis = gather ? to.integer(node, "axis", 0) : axes && axes->size() == 1 ? (*axes)[0] : -99;
  if (axis < 0) axis += rank;
  const auto* index = gather ? to.constant(node, 1) : nullptr;
  const bool scalar = index && index->dims.empty();
  const bool one =
      first && first->size() == 1 &&
      (gather || (end && end->size() == 1 &&
                  ((*end)[0] == (*first)[0] + 1 || ((*first)[0] == -1 && (*end)[0] > 1))));
  if (one && axis >= 0 && axis < rank) {
    const auto at = (*first)[0];
    const auto role = x->axes[static_cast<std::size_t>(axis)];
    if (role == Role::directions && read_direction(to, node, *x, at, !scalar)) return;
    if (role == Role::time && (at == 0 || at == -1)) {
      Traced y = *x;
      y.node = to.call(at == 0 ? AnyLayer(FirstStep{}) : AnyLayer(LastStep{}), {x->node});
      y.axes[static_cast<std::size_t>(axis)] = Role::one;
      if (scalar) y.axes.erase(y.axes.begin() + axis);
      return to.put(node.outputs.empty() ? "" : node.outputs[0], std::move(y));
    }
  }
  to.trouble(node, "only one direction, and the first or last step, are taken out");
}

}  // namespace maskgrad::onnx
