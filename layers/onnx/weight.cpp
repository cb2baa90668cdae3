#include <maskgrad/layers/onnx/weight.hpp>

#include <maskgrad/autograd/ops/elementwise/cast.hpp>

namespace maskgrad::onnx {

Weight weight_of(const Parameter& parameter) {
  const Tensor value = parameter.value();
  const Shape& shape = value.shape();
  return {value.dtype(), {shape.begin(), shape.end()}, cast(value, DType::f64).to_vector<double>()};
}

Weight constant_weight(DType dtype, std::vector<std::int64_t> dims, double value) {
  std::size_t count = 1;
  for (const auto size : dims) count *= static_cast<std::size_t>(size);
  return {dtype, std::move(dims), std::vector<double>(count, value)};
}

Weight reshaped(Weight w, std::vector<std::int64_t> dims) {
  w.dims = std::move(dims);
  return w;
}

Weight transposed(const Weight& w, const std::vector<std::size_t>& order) {
  const auto rank = order.size();
  std::vector<std::size_t> step(rank, 1), size(rank), along(rank), at(rank);
  for (std::size_t i = rank - 1; i > 0; --i) {
    step[i - 1] = step[i] * static_cast<std::size_t>(w.dims[i]);
  }
  Weight result{w.dtype, {}, std::vector<double>(w.values.size())};
  for (std::size_t i = 0; i < rank; ++i) {
    result.dims.push_back(w.dims[order[i]]);
    size[i] = static_cast<std::size_t>(w.dims[order[i]]);
    along[i] = step[order[i]];
  }
  std::size_t from = 0;
  for (auto& value : result.values) {
    value = w.values[from];
    for (std::size_t i = rank; i-- > 0;) {
      from += along[i];
      if (++at[i] < size[i]) break;
      from -= along[i] * size[i];
      at[i] = 0;
    }
  }
  return result;
}

Weight parts_of(const Weight& w, const std::vector<std::size_t>& order) {
  Weight result = w;
  const auto line = static_cast<std::size_t>(w.dims.back()), part = line / order.size();
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    const auto at = i % line;
    result.values[i] = w.values[i - at + order[at / part] * part + at % part];
  }
  return result;
}

Weight joined(const Weight& a, const Weight& b) {
  Weight result{a.dtype, a.dims, {}};
  result.dims.back() += b.dims.back();
  const auto la = a.dims.back(), lb = b.dims.back();
  const auto lines = a.count() / la;
  for (std::int64_t i = 0; i < lines; ++i) {
    result.values.insert(result.values.end(), a.values.begin() + i * la,
                         a.values.begin() + (i + 1) * la);
    result.values.insert(result.values.end(), b.values.begin() + i * lb,
                         b.values.begin() + (i + 1) * lb);
  }
  return result;
}

}  // namespace maskgrad::onnx
