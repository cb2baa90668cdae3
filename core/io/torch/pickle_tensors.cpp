#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <maskgrad/core/io/torch/pickle.hpp>

/// Which tensors of a pickle are weights, and where their elements lie.
namespace maskgrad::detail {
namespace {

/// A dictionary with tensors in it, by its place among the others.
struct Found {
  std::string path;
  std::vector<PickleName> tensors;
};

/// Walks dictionaries under texts from the whole on. A value may stand in several places, and even
/// inside itself: the steps, the depth and the letters of names are bounded.
class Walk {
 public:
  Walk(const Pickle& pickle, const Place& place)
      : pickle_(pickle),
        place_(place),
        steps_(16 * pickle.values.size() + 1000),
        letters_(16 * pickle.bytes.size() + 65536) {}

  std::vector<Found> run() {
    walk(pickle_.root, {}, 0);
    return std::move(found_);
  }

 private:
  void walk(std::uint32_t at, const std::string& path, int depth) {
    constexpr int deepest = 64;
    const auto& dict = pickle_.values[at];
    if (dict.kind != PickleKind::dict) return;
    if (depth > deepest) {
      refuse("dictionaries are more than 64 deep, or hold themselves; save the state dict alone");
    }
    Found here{path, {}};
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      spend(steps_, 1);
      const auto& key = pickle_.values[dict.items[i]];
      const auto kind = pickle_.values[dict.items[i + 1]].kind;
      if (key.kind != PickleKind::text) continue;
      if (kind != PickleKind::tensor && kind != PickleKind::dict) continue;
      spend(letters_, path.size() + key.length + 1);
      const std::string name(pickle_.text(key));
      if (kind == PickleKind::tensor) here.tensors.push_back({name, dict.items[i + 1]});
      if (kind == PickleKind::dict) {
        walk(dict.items[i + 1], path.empty() ? name : path + "." + name, depth + 1);
      }
    }
    if (!here.tensors.empty()) found_.push_back(std::move(here));
  }

  void spend(std::uint64_t& left, std::uint64_t what) {
    if (what > left) {
      refuse("the pickle names the same dictionaries again and again; save the state dict alone");
    }
    left -= what;
  }
  [[noreturn]] void refuse(std::string_view what) const {
    place_.refuse(pickle_.end, "{}, with torch.save(model.state_dict(), path)", what);
  }

  const Pickle& pickle_;
  const Place& place_;
  std::uint64_t steps_, letters_;
  std::vector<Found> found_;
};

/// With each dictionary's path in front of its names.
std::vector<PickleName> joined(std::vector<Found> found, std::string_view front) {
  std::vector<PickleName> all;
  for (auto& part : found) {
    std::string_view path = part.path;
    path.remove_prefix(std::min(path.size(), front.size()));
    for (auto& tensor : part.tensors) {
      all.push_back(
          {path.empty() ? tensor.name : fmt::format("{}.{}", path, tensor.name), tensor.value});
    }
  }
  return all;
}

bool inside(const Found& part, std::string_view path) {
  return part.path == path || part.path.starts_with(fmt::format("{}.", path));
}

}  // namespace

std::vector<PickleName> state_dict_of(const Pickle& pickle, const Place& place) {
  auto found = Walk(pickle, place).run();
  if (found.empty()) {
    place.refuse(pickle.end,
                 "the file holds no dictionary of tensors; expected a state dict: save it with "
                 "torch.save(model.state_dict(), path)");
  }
  if (found.size() == 1) return joined(found, found[0].path);
  for (const std::string_view usual : {"state_dict", "model_state_dict", "model"}) {
    if (std::none_of(found.begin(), found.end(), [&](const auto& f) { return inside(f, usual); })) {
      continue;
    }
    std::erase_if(found, [&](const auto& f) { return !inside(f, usual); });
    for (auto& part : found) {
      part.path.erase(0, std::min(part.path.size(), usual.size() + 1));
    }
    return joined(found, {});
  }
  return joined(found, {});
}

PickleTensor tensor_in(const Pickle& pickle, const PickleName& name, const Place& place) {
  const auto value = [&](std::uint32_t at) -> const PickleValue& { return pickle.values[at]; };
  const auto& items = value(name.value).items;
  const auto refuse_if = [&](bool wrong, std::string_view what) {
    if (!wrong) return;
    place.refuse(pickle.end, "the tensor {} {}; save the state dict again with torch.save",
                 in_quotes(name.name), what);
  };
  PickleTensor made;
  made.storage = static_cast<std::uint32_t>(value(items[0]).number);
  const auto count = pickle.storages[made.storage].count;
  refuse_if(value(items[1]).number < 0, "begins before its storage");
  made.offset = static_cast<std::uint64_t>(value(items[1]).number);
  const auto &sizes = value(items[2]).items, &strides = value(items[3]).items;
  refuse_if(sizes.size() > max_axes, "has more than 64 axes");
  std::uint64_t elements = 1, last = made.offset;
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    const auto &size = value(sizes[axis]), &stride = value(strides[axis]);
    refuse_if(
        size.kind != PickleKind::integer || stride.kind != PickleKind::integer || size.number < 0,
        "has a size or a stride that is no whole number from 0 on");
    made.shape.push_back(size.number);
    const auto extent = static_cast<std::uint64_t>(size.number);
    const bool counts = extent > 1;  // else the stride is never used, whatever it says
    made.strides.push_back(counts ? static_cast<std::uint64_t>(stride.number) : 0);
    if (extent == 0) elements = 0;
    if (!counts || elements == 0) continue;
    refuse_if(extent > count / elements, "has more elements than its storage (clone() it first)");
    elements *= extent;
    const auto step = std::max<std::uint64_t>(1, made.strides[axis]);
    refuse_if(stride.number < 0 || extent - 1 > count / step, "leaves its storage");
    last += (extent - 1) * made.strides[axis];
    refuse_if(last > count, "leaves its storage");
  }
  refuse_if(elements > 0 && last >= count, "leaves its storage");
  return made;
}

}  // namespace maskgrad::detail
