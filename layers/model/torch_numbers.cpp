#include <maskgrad/layers/model/torch_numbers.hpp>

#include <algorithm>

namespace maskgrad::torch_mapping {

Numbers reversed(const Numbers& x) {
  Numbers made{{x.shape.rbegin(), x.shape.rend()}, {}};
  made.values.reserve(x.values.size());
  const auto axes = x.shape.size();
  std::vector<std::int64_t> index(axes, 0), stride(axes, 1);
  for (std::size_t axis = axes; axis-- > 1;) stride[axis - 1] = stride[axis] * x.shape[axis];
  std::int64_t at = 0;
  for (std::size_t i = 0; i < x.values.size(); ++i) {  // the first axis is the fastest now
    made.values.push_back(x.values[static_cast<std::size_t>(at)]);
    for (std::size_t axis = 0; axis < axes; ++axis) {
      at += stride[axis];
      if (++index[axis] < x.shape[axis]) break;
      at -= stride[axis] * x.shape[axis];
      index[axis] = 0;
    }
  }
  return made;
}

Numbers transposed(const Numbers& x) {
  return x.shape.size() == 2 ? reversed(x) : x;
}

Numbers gates_swapped(Numbers x) {
  if (x.shape.empty() || x.shape[0] % 3 != 0) return x;
  const auto block = static_cast<std::ptrdiff_t>(x.values.size() / 3);
  std::swap_ranges(x.values.begin(), x.values.begin() + block, x.values.begin() + block);
  return x;
}

Numbers both(const Numbers& a, const Numbers& b, bool sum) {
  const auto n = static_cast<std::int64_t>(a.values.size());
  const bool same = a.shape == b.shape && a.shape.size() == 1;
  Numbers made = a;
  if (same && sum) {
    for (std::size_t i = 0; i < a.values.size(); ++i) made.values[i] += b.values[i];
    return made;
  }
  made.values.insert(made.values.end(), b.values.begin(), b.values.end());
  made.shape = same ? std::vector<std::int64_t>{2, n}
                    : std::vector<std::int64_t>{1, static_cast<std::int64_t>(made.values.size())};
  return made;
}

namespace {

Numbers part(const Numbers& x, std::size_t i, std::size_t parts) {
  Numbers made{x.shape, {}};
  made.shape[0] /= static_cast<std::int64_t>(parts);
  const auto size = x.values.size() / parts;
  const auto from = x.values.begin() + static_cast<std::ptrdiff_t>(i * size);
  made.values.assign(from, from + static_cast<std::ptrdiff_t>(size));
  return made;
}

}  // namespace

Numbers row(const Numbers& x, std::size_t i) {
  Numbers made = part(x, i, 2);
  made.shape.erase(made.shape.begin());
  return made;
}

Numbers third(const Numbers& x, std::size_t i) {
  return x.shape.empty() || x.shape[0] % 3 != 0 ? x : part(x, i, 3);
}

Numbers stacked(const List& parts) {
  Numbers made = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    made.shape[0] += parts[i].shape[0];
    made.values.insert(made.values.end(), parts[i].values.begin(), parts[i].values.end());
  }
  return made;
}

Numbers heads_joined(Numbers x, bool last) {
  const std::size_t at = last ? x.shape.size() - 2 : 0;
  x.shape[at] *= x.shape[at + 1];
  x.shape.erase(x.shape.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  return x;
}

Numbers split_as(Numbers x, const Shape& want) {
  for (int axis = 0; axis + 1 < want.rank(); ++axis) {
    std::vector<std::int64_t> merged(want.begin(), want.end());
    merged[static_cast<std::size_t>(axis)] *= merged[static_cast<std::size_t>(axis) + 1];
    merged.erase(merged.begin() + axis + 1);
    if (merged != x.shape) continue;
    x.shape.assign(want.begin(), want.end());
    break;
  }
  return x;
}

}  // namespace maskgrad::torch_mapping
