#include <maskgrad/layers/keras/weights.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <maskgrad/layers/keras/flat.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad::detail {

/// A group of a `.keras` file, its path split at `/` and, as Windows wrote it, at `\`.
struct KerasWeights::Group {
  std::string name;  ///< of the layer, where the file has it
  const Hdf5Object* dataset = nullptr;
  std::map<std::string, Group> inside;

  const Group* at(const std::string& key) const {
    const auto found = inside.find(key);
    return found == inside.end() ? nullptr : &found->second;
  }
  /// Its layer's name, which stands at its `vars`.
  std::string layer_name() const {
    const Group* vars = at("vars");
    return vars ? vars->name : "";
  }
};

namespace {

std::optional<int> trailing_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return {};
  return number;
}

// `gru_2` is 2 under `gru`, `gru` is 0; none for other names.
std::optional<int> name_count(const std::string& name, const std::string& base) {
  if (name == base) return 0;
  if (!name.starts_with(base + "_")) return {};
  return trailing_number(std::string_view(name).substr(base.size() + 1));
}

// The order in which layers hold layers: that of Keras's own list of weights.
constexpr std::string_view layer_parts[] = {
    "cell",         "cells",        "forward_layer", "backward_layer", "layer",
    "query_dense",  "_query_dense", "key_dense",     "_key_dense",     "value_dense",
    "_value_dense", "output_dense", "_output_dense"};
constexpr std::string_view layer_roots[] = {"layers", "_layer_checkpoint_dependencies"};

}  // namespace

namespace {

// Those of one layer, its own first.
template <class Group>
void gather_weights(const Group& group, std::vector<const Hdf5Object*>& found, int depth = 0) {
  if (depth > 50) return;
  if (const Group* vars = group.at("vars")) {
    std::map<int, const Hdf5Object*> own;
    for (const auto& [name, var] : vars->inside) {
      if (const auto n = trailing_number(name); n && var.dataset) own[*n] = var.dataset;
    }
    for (const auto& [n, dataset] : own) found.push_back(dataset);
  }
  for (const auto part : layer_parts) {
    if (const Group* inner = group.at(std::string(part))) gather_weights(*inner, found, depth + 1);
  }
  // Lists of layers, as of cells, by the counts in their names; and those of custom classes.
  std::vector<std::pair<int, const Group*>> others;
  for (const auto& [name, inner] : group.inside) {
    if (name == "vars" || std::ranges::find(layer_parts, name) != std::end(layer_parts)) continue;
    if (name.starts_with("_") || name == "seed_generator") continue;
    const auto at = name.rfind('_');
    const auto n = at == std::string::npos ? std::nullopt
                                           : trailing_number(std::string_view(name).substr(at + 1));
    others.emplace_back(n.value_or(0), &inner);
  }
  std::ranges::stable_sort(others, {}, &std::pair<int, const Group*>::first);
  for (const auto& [n, inner] : others) gather_weights(*inner, found, depth + 1);
}

// Those of an RNN over several cells, which lie by class and count; false for other layers.
template <class Group>
bool gather_stack(const KerasLayer& layer, const Group& group,
                  std::vector<const Hdf5Object*>& found) {
  if (layer.inner.empty() || layer.inner[0].class_name != "StackedRNNCells") return false;
  const Group* cell = group.at("cell");
  const Group* cells = cell ? cell->at("cells") : nullptr;
  if (!cells) return false;
  std::map<std::string, int> counts;
  for (const auto& one : layer.inner[0].inner) {
    const std::string base = snake_case(one.class_name);
    const int n = counts[base]++;
    const Group* own = cells->at(n == 0 ? base : fmt::format("{}_{}", base, n));
    if (own) gather_weights(*own, found);
  }
  return true;
}

std::vector<std::string> weight_names(const Hdf5Object& group) {
  auto names = group.texts("weight_names");
  // Keras splits long lists: weight_names0, weight_names1, ...
  for (int i = 0; names.empty() || i > 0; ++i) {
    const auto more = group.texts(fmt::format("weight_names{}", i));
    if (more.empty()) break;
    names.insert(names.end(), more.begin(), more.end());
    if (i > 100'000) break;
  }
  return names;
}

}  // namespace

KerasWeights::KerasWeights(const KerasFile& file, const KerasModel& model) : file_(file) {
  if (!file.is_zip()) {
    by_name(model);
    return;
  }
  Group root;
  bool windows = false, old = false;
  for (const auto& object : file.weights().objects()) {
    Group* at = &root;
    windows = windows || object.path.find('\\') != std::string::npos;
    for (std::size_t begin = 0; begin < object.path.size();) {
      const auto end = std::min(object.path.find_first_of("/\\", begin), object.path.size());
      if (end > begin) at = &at->inside[object.path.substr(begin, end - begin)];
      begin = end + 1;
    }
    if (object.dataset) at->dataset = &object;
    if (const auto name = object.text("name"); !name.empty()) at->name = name;
  }
  if (root.at(std::string(layer_roots[1])) && !root.at(std::string(layer_roots[0]))) old = true;
  if (windows) notes_.push_back("group names with backslashes (written on Windows)");
  by_count(model, root);
  if (old) notes_.push_back("weights under _layer_checkpoint_dependencies (Keras 2.13)");
}

void KerasWeights::by_count(const KerasModel& model, const Group& group) {
  const Group* layers = nullptr;
  for (const auto root : layer_roots) {
    if (!layers) layers = group.at(std::string(root));
  }
  if (!layers) return;
  std::map<std::string, std::vector<const KerasLayer*>> classes;
  for (const auto& layer : model.layers) {
    if (layer.operation) continue;
    const bool functional =
        layer.model && !layer.model->sequential && is_keras_model(layer.class_name);
    const auto class_name = layer.class_name.substr(layer.class_name.rfind('>') + 1);
    classes[functional ? "functional" : snake_case(class_name)].push_back(&layer);
  }
  for (const auto& [base, list] : classes) {
    // By the counts in their names, those that hold weights.
    std::map<int, std::pair<std::string, const Group*>> groups;
    for (const auto& [name, inner] : layers->inside) {
      if (const auto n = name_count(name, base)) groups[*n] = {name, &inner};
    }
    std::map<int, const Group*> full;
    for (const auto& [n, at] : groups) {
      Found all;
      gather_weights(*at.second, all);
      if (!all.empty()) full[n] = at.second;
    }
    // Names say it, where the file has them; else the count; else those with weights in order.
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Group* found = nullptr;
      std::string counted = i == 0 ? base : fmt::format("{}_{}", base, i), taken;
      for (const auto& [n, at] : groups) {
        if (!found && at.second->layer_name() == list[i]->name) found = at.second, taken = at.first;
      }
      const auto by_number = groups.find(static_cast<int>(i));
      const bool complete = groups.size() <= list.size();
      if (!found && by_number != groups.end() && (complete || full.size() != list.size())) {
        if (by_number->second.second->layer_name().empty() || !complete) {
          found = by_number->second.second, taken = by_number->second.first;
        }
      }
      if (!found && full.size() == list.size()) {
        auto nth = std::next(full.begin(), static_cast<std::ptrdiff_t>(i));
        found = nth->second, taken = groups[nth->first].first;
      }
      if (!found && by_number != groups.end()) {
        found = by_number->second.second, taken = by_number->second.first;
      }
      if (!found) continue;
      const auto& inner = list[i]->inner;
      const Group* timed = found->at("layer");
      if (list[i]->model) {
        by_count(*list[i]->model, *found);
      } else if (timed && !inner.empty() && inner[0].model) {
        by_count(*inner[0].model, *timed);
      } else {
        if (!gather_stack(*list[i], *found, found_[list[i]]))
          gather_weights(*found, found_[list[i]]);
        if (taken != counted && !found_[list[i]].empty()) {
          notes_.push_back(fmt::format("weights of '{}' are in group '{}', not the counted '{}'",
                                       list[i]->name, taken, counted));
        }
      }
    }
  }
}

void KerasWeights::by_name(const KerasModel& model) {
  const auto& file = file_.weights();
  const std::string root = file.find("model_weights") ? "model_weights/" : "";
  std::map<std::string, const Hdf5Object*> objects;
  for (const auto& object : file.objects()) objects.emplace(object.path, &object);
  for (const auto& layer : model.layers) {
    const auto group = objects.find(root + layer.name);
    if (group == objects.end()) {
      if (layer.model) by_name(*layer.model);  // Keras 1 wrote the layers inside by themselves
      continue;
    }
    Found& found = found_[&layer];
    for (const auto& name : weight_names(*group->second)) {
      const auto object = objects.find(root + layer.name + "/" + name);
      if (object == objects.end() || !object->second->dataset) continue;
      found.push_back(object->second);
      if (!layer.model && name.find('/') != std::string::npos &&
          !name.starts_with(layer.name + "/")) {
        notes_.push_back(fmt::format("weights of '{}' are named '{}'", layer.name, name));
      }
    }
  }
  std::ranges::sort(notes_);
  constexpr std::size_t most_notes = 4;  // the rest is like them
  if (notes_.size() > most_notes) notes_.resize(most_notes);
}

const std::vector<const Hdf5Object*>* KerasWeights::find(const KerasLayer& layer) const {
  const auto found = found_.find(&layer);
  return found == found_.end() ? nullptr : &found->second;
}

bool KerasWeights::two_biases(const KerasLayer& layer, std::int64_t units) const {
  const std::vector<std::int64_t> shape{2, 3 * units};
  // Kernel, recurrent kernel, bias; a kernel may have two rows too.
  const auto has = [&](const Found& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool named = all[i]->path.find("bias") != std::string::npos;
      const bool counted = i % 3 == 2 && all[i]->path.find("kernel") == std::string::npos;
      if ((named || counted) && all[i]->shape == shape) return true;
    }
    return false;
  };
  if (const Found* own = find(layer)) return has(*own);
  return std::ranges::any_of(found_, [&](const auto& entry) { return has(entry.second); });
}

}  // namespace maskgrad::detail
