// One recurrent layer in oneDNN: what `compare` runs beside ours. Reads lines
// `train|infer GRU|LSTM batch time features units steps` and answers each with the median ms of so
// many training steps or forward passes. It does less than we do: no lengths, no head, no loss, no
// optimizer, and weights already in the layout that it likes. Threads: OMP_NUM_THREADS.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include <dnnl.hpp>

namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

dnnl::engine& engine() {
  static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

memory::desc described(const memory::dims& dims, Tag tag) {
  return {dims, memory::data_type::f32, tag};
}

memory filled(const memory::desc& desc) {
  static std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.1F);
  memory m(desc, engine());
  auto* values = static_cast<float*>(m.get_data_handle());
  std::generate_n(values, desc.get_size() / sizeof(float), [&] { return normal(random); });
  return m;
}

struct Shapes {
  memory::desc x, kernel, recurrent, bias, y;
  Shapes(std::int64_t batch, std::int64_t time, std::int64_t features, std::int64_t units,
         std::int64_t gates, std::int64_t biases)
      : x(described({time, batch, features}, Tag::tnc)),
        kernel(described({1, 1, features, gates, units}, Tag::any)),
        recurrent(described({1, 1, units, gates, units}, Tag::any)),
        bias(described({1, 1, biases, units}, Tag::ldgo)),
        y(described({time, batch, units}, Tag::tnc)) {}
};

constexpr auto one_way = dnnl::rnn_direction::unidirectional_left2right;

/// The two primitives take the same arguments but for the cell state.
struct GruPlan {
  using There = dnnl::lbr_gru_forward;
  using Back = dnnl::lbr_gru_backward;
  static There::desc there(dnnl::prop_kind kind, const Shapes& s) {
    return {kind, one_way, s.x, {}, s.kernel, s.recurrent, s.bias, s.y, {}};
  }
  static Back::desc back(const Shapes& s) {
    return {dnnl::prop_kind::backward,
            one_way,
            s.x,
            {},
            s.kernel,
            s.recurrent,
            s.bias,
            s.y,
            {},
            s.x,
            {},
            s.kernel,
            s.recurrent,
            s.bias,
            s.y,
            {}};
  }
};
struct LstmPlan {
  using There = dnnl::lstm_forward;
  using Back = dnnl::lstm_backward;
  static There::desc there(dnnl::prop_kind kind, const Shapes& s) {
    return {kind, one_way, s.x, {}, {}, s.kernel, s.recurrent, s.bias, s.y, {}, {}};
  }
  static Back::desc back(const Shapes& s) {
    return {dnnl::prop_kind::backward,
            one_way,
            s.x,
            {},
            {},
            s.kernel,
            s.recurrent,
            s.bias,
            s.y,
            {},
            {},
            s.x,
            {},
            {},
            s.kernel,
            s.recurrent,
            s.bias,
            s.y,
            {},
            {}};
  }
};

template <class Plan>
double median_ms(const Shapes& shapes, bool training, int steps) {
  using There = typename Plan::There;
  using Back = typename Plan::Back;
  const auto kind =
      training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  const typename There::primitive_desc there(Plan::there(kind, shapes), engine());
  const There forward(there);
  Arguments in{{DNNL_ARG_SRC_LAYER, filled(shapes.x)},
               {DNNL_ARG_WEIGHTS_LAYER, filled(there.weights_layer_desc())},
               {DNNL_ARG_WEIGHTS_ITER, filled(there.weights_iter_desc())},
               {DNNL_ARG_BIAS, filled(shapes.bias)},
               {DNNL_ARG_DST_LAYER, filled(shapes.y)}};
  Arguments gradients = in;
  Back backward;
  if (training) {
    const typename Back::primitive_desc back(Plan::back(shapes), engine(), there);
    backward = Back(back);
    in.emplace(DNNL_ARG_WORKSPACE, memory(there.workspace_desc(), engine()));
    gradients = in;
    gradients.insert_or_assign(DNNL_ARG_WEIGHTS_LAYER, filled(back.weights_layer_desc()));
    gradients.insert_or_assign(DNNL_ARG_WEIGHTS_ITER, filled(back.weights_iter_desc()));
    gradients.emplace(DNNL_ARG_DIFF_SRC_LAYER, filled(shapes.x));
    gradients.emplace(DNNL_ARG_DIFF_WEIGHTS_LAYER, filled(back.diff_weights_layer_desc()));
    gradients.emplace(DNNL_ARG_DIFF_WEIGHTS_ITER, filled(back.diff_weights_iter_desc()));
    gradients.emplace(DNNL_ARG_DIFF_BIAS, filled(shapes.bias));
    gradients.emplace(DNNL_ARG_DIFF_DST_LAYER, filled(shapes.y));
  }
  dnnl::stream stream(engine());
  std::vector<double> times;
  for (int i = 0; i <= steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    forward.execute(stream, in);
    if (training) backward.execute(stream, gradients);
    stream.wait();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (i > 0) times.push_back(took.count());  // the first one warms up
  }
  std::nth_element(times.begin(), times.begin() + steps / 2, times.end());
  return times[static_cast<std::size_t>(steps) / 2];
}

}  // namespace

int main() {
  std::string kind, layer;
  std::int64_t batch, time, features, units;
  int steps;
  while (std::cin >> kind >> layer >> batch >> time >> features >> units >> steps) {
    const bool training = kind == "train", lstm = layer == "LSTM";
    const Shapes shapes(batch, time, features, units, lstm ? 4 : 3, 4);
    std::cout << (lstm ? median_ms<LstmPlan>(shapes, training, steps)
                       : median_ms<GruPlan>(shapes, training, steps))
              << std::endl;
  }
}
