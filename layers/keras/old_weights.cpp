#include <maskgrad/layers/keras/old_weights.hpp>

namespace maskgrad::detail {
namespace {

using KerasNumbers = std::vector<double>;

KerasNumbers keras_numbers(const Array& array) {
  KerasNumbers all;
  extend::dispatch(array.dtype, [&]<class T>() {
    const auto values = array.values<T>();
    all.assign(values.begin(), values.end());
  });
  return all;
}

Array keras_array(std::vector<std::int64_t> shape, const KerasNumbers& numbers) {
  const std::vector<float> narrow(numbers.begin(), numbers.end());
  return Array::of<float>(std::move(shape), narrow);
}

// CuDNN's kernels: each gate's is [units, in] where Keras has [in, units].
Array from_cudnn(const Array& array, std::int64_t gates, bool recurrent) {
  const auto rows = array.shape[0], all = array.shape[1], units = all / gates;
  const KerasNumbers from = keras_numbers(array);
  KerasNumbers to(from.size());
  for (std::int64_t g = 0; g < gates; ++g) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t u = 0; u < units; ++u) {
        // The gate's values, read row by row, are those of [units, in].
        const auto place = u * rows + i;
        const auto source =
            recurrent ? u * all + g * units + i : place / units * all + g * units + place % units;
        to[static_cast<std::size_t>(i * all + g * units + u)] =
            from[static_cast<std::size_t>(source)];
      }
    }
  }
  return keras_array(array.shape, to);
}

std::vector<Array> of_cudnn(std::vector<Array> arrays, std::int64_t gates) {
  const bool fits =
      arrays.size() == 3 && arrays[0].shape.size() == 2 && arrays[1].shape.size() == 2 &&
      arrays[1].shape[1] == gates * arrays[1].shape[0] && arrays[0].shape[1] == arrays[1].shape[1];
  if (!fits) return arrays;
  arrays[0] = from_cudnn(arrays[0], gates, false);
  arrays[1] = from_cudnn(arrays[1], gates, true);
  const auto units = arrays[1].shape[0];
  if (arrays[2].size() != 2 * gates * units) return arrays;
  const KerasNumbers both = keras_numbers(arrays[2]);
  if (gates == 3) {
    arrays[2] = keras_array({2, gates * units}, both);
  } else {
    KerasNumbers sum(both.size() / 2);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = both[i] + both[i + sum.size()];
    arrays[2] = keras_array({gates * units}, sum);
  }
  return arrays;
}

// Keras 1 had a matrix for each gate: W, U and b of i, c, f, o (LSTM), of z, r, h (GRU).
std::vector<Array> of_gates(const std::vector<Array>& arrays,
                            const std::vector<std::size_t>& order) {
  std::vector<Array> made;
  for (std::size_t part = 0; part < 3; ++part) {
    const auto& first = arrays[part];
    if (first.shape.empty()) return arrays;
    const std::int64_t rows = part == 2 ? 1 : first.shape.at(0), units = first.shape.back();
    const auto gates = static_cast<std::int64_t>(order.size());
    KerasNumbers all(static_cast<std::size_t>(rows * units * gates));
    for (std::size_t g = 0; g < order.size(); ++g) {
      const KerasNumbers one = keras_numbers(arrays[order[g] * 3 + part]);
      if (one.size() != static_cast<std::size_t>(rows * units)) return arrays;
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t u = 0; u < units; ++u) {
          all[static_cast<std::size_t>((i * gates + static_cast<std::int64_t>(g)) * units + u)] =
              one[static_cast<std::size_t>(i * units + u)];
        }
      }
    }
    std::vector<std::int64_t> shape{units * gates};
    if (part < 2) shape.insert(shape.begin(), rows);
    made.push_back(keras_array(shape, all));
  }
  return made;
}

// Keras 1 kept the kernels of convolutions as images'.
Array of_image(const Array& array, std::int64_t size) {
  if (array.shape.size() != 4) return array;
  if (array.shape[0] == size && array.shape[1] == 1) {
    Array made = array;
    made.shape = {size, array.shape[2], array.shape[3]};
    return made;
  }
  // [filters, features, size, 1]
  const auto filters = array.shape[0], features = array.shape[1], length = array.shape[2];
  const KerasNumbers from = keras_numbers(array);
  if (array.shape[3] != 1) return array;
  KerasNumbers to(from.size());
  for (std::int64_t f = 0; f < filters; ++f) {
    for (std::int64_t c = 0; c < features; ++c) {
      for (std::int64_t t = 0; t < length; ++t) {
        to[static_cast<std::size_t>((t * features + c) * filters + f)] =
            from[static_cast<std::size_t>((f * features + c) * length + t)];
      }
    }
  }
  return keras_array({length, features, filters}, to);
}

}  // namespace

std::vector<Array> weights_of_now(const KerasLayer& layer, std::vector<Array> arrays) {
  const auto& kind = layer.class_name;
  if (kind == "CuDNNLSTM") return of_cudnn(std::move(arrays), 4);
  if (kind == "CuDNNGRU") return of_cudnn(std::move(arrays), 3);
  if (kind == "LSTM" && arrays.size() == 12) return of_gates(arrays, {0, 2, 1, 3});
  if (kind == "GRU" && arrays.size() == 9) return of_gates(arrays, {0, 1, 2});
  if (kind == "Conv1D" && !arrays.empty()) {
    arrays[0] = of_image(arrays[0], config_whole(layer.config, "kernel_size").value_or(0));
  }
  return arrays;
}

}  // namespace maskgrad::detail
