#include <doctest/doctest.h>

#include <set>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests {
namespace {

/// Stays inside a row, and counts how often its contract is asked for.
class Asked {
 public:
  static constexpr std::string_view kind = "Asked";
  MaskContract contract_now() const {
    ++times;
    return {.role = MaskRole::propagates, .why = "it gives what it takes"};
  }
  Tensor forward(const Tensor& x) const { return x; }

  static inline int times = 0;
  LayerInfo info{kind, ""};
};

TEST_CASE("a build asks each layer for its contract no more often than it has layers above") {
  AnyLayer nested = Asked{};
  for (int i = 0; i < 40; ++i) nested = Sequential(std::vector<AnyLayer>{nested});
  Asked::times = 0;
  build(nested, Spec::f32({any, 3}));
  CHECK(Asked::times <= 41);
  Asked::times = 0;
  CHECK(nested.contract().role == MaskRole::propagates);
  CHECK(Asked::times == 1);
}

TEST_CASE("deep and long models are built, copied, listed and named") {
  AnyLayer nested = Dense{{.units = 2}};
  for (int i = 0; i < 200; ++i) nested = Sequential(std::vector<AnyLayer>{nested});
  Sequential deep(std::vector<AnyLayer>{nested});
  deep.build(Spec::f32({any, 3}), Seed{1});
  CHECK(deep.clone().parameters().size() == 2);
  CHECK(deep.summary().find("8 parameters") != std::string::npos);

  Functional chain;
  auto x = chain.input();
  for (int i = 0; i < 500; ++i) x = chain.add(Dense{{.units = 2}}, {x});
  chain.outputs({x});
  chain.build({Spec::f32({any, 2})}, Seed{1});
  std::set<std::string> names;
  for (const auto& p : chain.parameters()) names.insert(p.name());
  CHECK(names.size() == 1000);
  CHECK(names.count("dense_499/bias") == 1);
  CHECK(chain.summary().find("shared") == std::string::npos);
}

}  // namespace
}  // namespace maskgrad::tests
