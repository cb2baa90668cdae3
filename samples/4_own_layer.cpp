// A layer of one's own: a plain class with a contract, options and a list of parameters, held by
// the same checks as the library's. Then a recurrence written by hand that equals the GRU layer.

#include <fmt/core.h>

#include <maskgrad/maskgrad.hpp>

namespace mg = maskgrad;

struct GateOptions {
  std::string activation = "sigmoid";
  std::string name = {};
};

/// y = x * activation(x * weight), feature by feature.
class Gate {
 public:
  static constexpr std::string_view kind = "Gate";
  static constexpr mg::MaskContract contract{.role = mg::MaskRole::propagates,
                                             .why = "each value is scaled by itself"};

  explicit Gate(GateOptions options = {})
      : info(kind, options.name), activation_(mg::activation(options.activation)) {}

  void build(const mg::Tensor& x, mg::Builder& builder) {
    weight_ = builder.weight("weight", {x.shape().back()}, "ones");
  }
  mg::Tensor forward(const mg::Tensor& x) const { return x * activation_(x * weight_); }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("weight", self.weight_);
  }

  mg::LayerInfo info;

 private:
  mg::ActivationFunction activation_;
  mg::Parameter weight_;
};

/// The GRU's recurrence from its formulas, on padded steps: `or_else` keeps the state where a step
/// is not there, and `stack` gives the outputs the mask of their steps.
mg::Tensor gru_by_hand(const mg::Tensor& x, const std::vector<mg::Parameter>& weights,
                       std::int64_t units) {
  const mg::Tensor kernel = weights[0], recurrent = weights[1], bias = weights[2];
  mg::Tensor h = mg::zeros({x.size(0), units}, x.dtype());
  std::vector<mg::Tensor> outputs;
  for (std::int64_t t = 0; t < x.size(1); ++t) {
    auto part = [&](const mg::Tensor& v, int i) {
      return mg::slice(v, -1, i * units, (i + 1) * units);
    };
    const mg::Tensor a = mg::matmul(mg::select(x, 1, t), kernel) + mg::select(bias, 0, 0);
    const mg::Tensor b = mg::matmul(h, recurrent) + mg::select(bias, 0, 1);
    const mg::Tensor z = mg::sigmoid(part(a, 0) + part(b, 0));
    const mg::Tensor r = mg::sigmoid(part(a, 1) + part(b, 1));
    const mg::Tensor next = z * h + (1 - z) * mg::tanh(part(a, 2) + r * part(b, 2));
    outputs.push_back(next);
    h = mg::or_else(next, h);
  }
  return mg::stack(outputs, 1);
}

int main() {
  // 1. The layer in a model: built, queried and called like any other.
  mg::Sequential model{mg::Masking{}, Gate{}, mg::GRU{{.units = 4}}, mg::Dense{{.units = 1}}};
  model.build(mg::Spec::f32({mg::any, mg::any, 3}), mg::Seed{1});
  fmt::print("{}\n{}\n", model.mask_flow().table(), mg::mask_support<Gate>().str());

  // 2. Its gradients and the mask laws, each in a line: what a test of it would check.
  const mg::Tensor x = mg::random_normal({4, 6, 3}, mg::Seed{2}, mg::DType::f64)
                           .with_mask(mg::Mask::from_lengths({6, 2, 0, 4}));
  const auto gradients = mg::gradcheck(model, x);
  const auto laws = mg::check_mask_laws(Gate{}, mg::Spec::f64({mg::any, mg::any, 3}));
  fmt::print("gradcheck: {}\nmask laws: {}\n\n", gradients.str(), laws.str());

  // 3. The recurrence by hand, against the layer.
  mg::GRU gru{{.units = 4, .return_sequences = true}};
  mg::build(gru, mg::Spec::f64({mg::any, mg::any, 3}), mg::Seed{5});
  const mg::Tensor by_layer = gru(x);
  const mg::Tensor by_hand = gru_by_hand(x, mg::parameters(gru), 4);
  const double apart = mg::max(mg::abs(by_layer - by_hand)).item();
  fmt::print("GRU by hand against the layer: {} and {}\ngreatest difference {:.1e}\n",
             by_hand.describe(), by_layer.describe(), apart);
  return gradients && laws && apart < 1e-12 ? 0 : 1;
}
