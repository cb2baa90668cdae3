#include <maskgrad/layers/model/torch_mapping.hpp>

namespace maskgrad::torch_mapping {
namespace {

/// Blocks of the first axis put in the order `gates`; as it is where it does not part so.
Numbers reordered(Numbers x, const std::vector<std::size_t>& gates) {
  if (x.values.size() % gates.size() != 0 || x.shape.empty()) return x;
  const auto block = x.values.size() / gates.size();
  std::vector<double> values;
  for (auto gate : gates) {
    const auto from = x.values.begin() + static_cast<std::ptrdiff_t>(gate * block);
    values.insert(values.end(), from, from + static_cast<std::ptrdiff_t>(block));
  }
  x.values = std::move(values);
  return x;
}

/// As it is where it is no matrix, which then fits nowhere.
Numbers transposed(const Numbers& x) {
  if (x.shape.size() != 2) return x;
  Numbers made{{x.shape[1], x.shape[0]}, {}};
  for (std::int64_t c = 0; c < x.shape[1]; ++c) {
    for (std::int64_t r = 0; r < x.shape[0]; ++r) {
      made.values.push_back(x.values[static_cast<std::size_t>(r * x.shape[1] + c)]);
    }
  }
  return made;
}

/// Of two biases: both as rows, or their sum. Where their sizes differ, a shape that fits nowhere.
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

/// Third `i` of the first axis; as it is where it does not part so.
Numbers third(const Numbers& x, std::size_t i) {
  if (x.shape.empty() || x.shape[0] % 3 != 0) return x;
  Numbers made{x.shape, {}};
  made.shape[0] /= 3;
  const auto size = x.values.size() / 3;
  const auto from = x.values.begin() + static_cast<std::ptrdiff_t>(i * size);
  made.values.assign(from, from + static_cast<std::ptrdiff_t>(size));
  return made;
}

const std::vector<std::size_t> zrh = {1, 0, 2};  // PyTorch has r, z, n

Numbers same(const std::vector<Numbers>& x) {
  return x[0];
}
Numbers matrix(const std::vector<Numbers>& x) {
  return transposed(x[0]);
}
Numbers gru_matrix(const std::vector<Numbers>& x) {
  return transposed(reordered(x[0], zrh));
}
Numbers gru_bias(const std::vector<Numbers>& x) {
  return both(reordered(x[0], zrh), reordered(x[1], zrh), false);
}
Numbers bias_sum(const std::vector<Numbers>& x) {
  return both(x[0], x[1], true);
}

template <std::size_t i>
Numbers third_matrix(const std::vector<Numbers>& x) {
  return transposed(third(x[0], i));
}
template <std::size_t i>
Numbers third_bias(const std::vector<Numbers>& x) {
  return third(x[0], i);
}

}  // namespace

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

const std::vector<Row>& table() {
  static const std::vector<Part> recurrent = {
      {"kernel", {"weight_ih_l0"}, matrix},
      {"recurrent_kernel", {"weight_hh_l0"}, matrix},
      {"bias", {"bias_ih_l0", "bias_hh_l0"}, bias_sum},
  };
  static const std::vector<Row> rows = {
      {"Dense", {{"kernel", {"weight"}, matrix}, {"bias", {"bias"}, same}}},
      {"Embedding", {{"embeddings", {"weight"}, same}}},
      {"GRU",
       {{"kernel", {"weight_ih_l0"}, gru_matrix},
        {"recurrent_kernel", {"weight_hh_l0"}, gru_matrix},
        {"bias", {"bias_ih_l0", "bias_hh_l0"}, gru_bias}}},
      {"LSTM", recurrent},
      {"LayerNormalization", {{"gamma", {"weight"}, same}, {"beta", {"bias"}, same}}},
      {"MultiHeadAttention",
       {{"query/kernel", {"in_proj_weight"}, third_matrix<0>},
        {"query/kernel", {"q_proj_weight"}, matrix},
        {"query/bias", {"in_proj_bias"}, third_bias<0>},
        {"key/kernel", {"in_proj_weight"}, third_matrix<1>},
        {"key/kernel", {"k_proj_weight"}, matrix},
        {"key/bias", {"in_proj_bias"}, third_bias<1>},
        {"value/kernel", {"in_proj_weight"}, third_matrix<2>},
        {"value/kernel", {"v_proj_weight"}, matrix},
        {"value/bias", {"in_proj_bias"}, third_bias<2>},
        {"output/kernel", {"out_proj.weight"}, matrix},
        {"output/bias", {"out_proj.bias"}, same}}},
      {"SimpleRNN", recurrent},
  };
  return rows;
}

}  // namespace maskgrad::torch_mapping
