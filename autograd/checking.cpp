#include <maskgrad/autograd/checking.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace maskgrad::checking {

std::vector<std::int64_t> padded_index(const Tensor& x, std::int64_t i) {
  std::int64_t flat = i;
  if (x.has_mask()) {
    const auto inner = rows::inner(x);
    flat = x.mask().impl().positions[i / inner] * inner + i % inner;
  }
  std::vector<std::int64_t> index(static_cast<std::size_t>(x.rank()));
  for (int axis = x.rank() - 1; axis >= 0; --axis) {
    index[static_cast<std::size_t>(axis)] = flat % x.shape()[axis];
    flat /= x.shape()[axis];
  }
  return index;
}

std::string place(const std::string& name, const std::vector<std::int64_t>& index) {
  return fmt::format("{}[{}]", name, fmt::join(index, ", "));
}

bool same_layout(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && a.mask() == b.mask();
}

bool identical(const Tensor& a, const Tensor& b) {
  if (!same_layout(a, b)) return false;
  const auto &x = a.impl().storage, &y = b.impl().storage;
  return std::equal(x.data(), x.data() + x.bytes(), y.data(), y.data() + y.bytes());
}

double value_at(const Tensor& x, std::int64_t i) {
  return extend::dispatch(x.dtype(), [&]<class T>() {
    return static_cast<double>(rows::of<T>(x)[static_cast<std::size_t>(i)]);
  });
}

void pull(const std::vector<Tensor>& results, const std::vector<Tensor>& weights) {
  std::vector<Tensor> roots, seeds;
  for (std::size_t k = 0; k < results.size(); ++k) {
    if (!results[k].on_tape()) continue;
    roots.push_back(results[k]);
    seeds.push_back(weights[k]);
  }
  tape::backward(roots, seeds);
}

}  // namespace maskgrad::checking
