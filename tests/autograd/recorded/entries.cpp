#include "entries.hpp"

#include <sstream>

#include <maskgrad/core/io/safetensors.hpp>

#include "io/files.hpp"

namespace maskgrad::tests {
namespace in_entries {

template <extend::Element T>
Tensor tensor_of(const Array& array) {
  return tensor(array.values<T>(), Shape(std::span(array.shape)));
}

Tensor tensor_of(const Array& array) {
  switch (array.dtype) {
    case DType::f32:
      return tensor_of<float>(array);
    case DType::f64:
      return tensor_of<double>(array);
    case DType::i64:
      return tensor_of<std::int64_t>(array);
    case DType::boolean:
      return tensor_of<bool>(array);
  }
  throw std::logic_error("another element type");
}

/// `op|variant|shape|x0`, or `...|x0.mask` for the mask of the array before.
void add(std::vector<RecordedEntry>& entries, const NamedArray& named) {
  std::istringstream name(named.name);
  std::string op, variant, shape, slot;
  for (auto* part : {&op, &variant, &shape, &slot}) std::getline(name, *part, '|');
  if (slot == "x0") entries.push_back({op, variant, shape, {}, {}});
  auto& own = slot.starts_with('x') ? entries.back().inputs : entries.back().results;
  const Tensor value = tensor_of(named.array);
  if (slot.ends_with(".mask")) {
    own.back() = own.back().with_mask(Mask::keep(value));
  } else {
    own.push_back(value);
  }
}

}  // namespace in_entries

const std::vector<RecordedEntry>& recorded_entries() {
  using namespace in_entries;
  static const auto all = [] {
    std::vector<RecordedEntry> entries;
    const auto path = files::beside("../autograd/data/recorded.safetensors");
    for (const auto& named : read_safetensors(path).arrays) add(entries, named);
    return entries;
  }();
  return all;
}

}  // namespace maskgrad::tests
