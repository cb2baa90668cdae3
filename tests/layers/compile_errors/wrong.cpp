// What must not compile: each of these gives one error, which names the class and the way out.

#include <maskgrad/layers/basic/dense.hpp>
#include <maskgrad/layers/basic/masking.hpp>
#include <maskgrad/layers/convolution/conv1d.hpp>
#include <maskgrad/layers/layer/accepts_masks.hpp>
#include <maskgrad/layers/model/sequential.hpp>

namespace mg = maskgrad;

struct WithoutContract {
  static constexpr std::string_view kind = "WithoutContract";
  mg::Tensor forward(const mg::Tensor& x) { return x; }
  mg::LayerInfo info{kind, ""};
};

struct WithoutInfo {
  static constexpr mg::MaskContract contract{.role = mg::MaskRole::propagates, .why = "a test"};
  mg::Tensor forward(const mg::Tensor& x) { return x; }
};

struct WithoutForward {
  static constexpr std::string_view kind = "WithoutForward";
  static constexpr mg::MaskContract contract{.role = mg::MaskRole::propagates, .why = "a test"};
  mg::LayerInfo info{kind, ""};
};

struct ListsNothing {
  mg::Dense dense{{.units = 1}};
  mg::Tensor operator()(const mg::Tensor& x) { return dense(x); }
};

struct CalledWithNothing {
  mg::Dense dense{{.units = 1}};
  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("dense", self.dense);
  }
};

void wrong(ListsNothing& net, CalledWithNothing& idle, const mg::Spec& spec) {
  mg::Sequential model{mg::Masking{}, WithoutContract{}, mg::Dense{{.units = 1}}};
  mg::AnyLayer layer = WithoutInfo{};
  mg::AnyLayer other = WithoutForward{};
  mg::build(net, spec);
  mg::build(idle, spec);
  WithoutContract alone;
  mg::build(alone, spec);
}

static_assert(mg::accepts_masks<mg::Masking, mg::Conv1D, mg::Dense>);
