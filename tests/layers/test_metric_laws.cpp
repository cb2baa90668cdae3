#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/laws/run.hpp>
#include <maskgrad/maskgrad.hpp>

#include "layers/metric_cases.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_metric_laws {
namespace {

using laws::MaskOver;
using Made = std::unique_ptr<Metric>;

/// A metric under the masks of the laws: its inputs are cut, masked and padded with garbage.
class MetricLaws {
 public:
  MetricLaws(const MetricCase& c, const std::vector<CaseInput>& inputs, DType dtype)
      : case_(c),
        dtype_(dtype),
        inputs_(drawn(inputs)),
        options_{.batch_axis = -1, .dtype = dtype} {}

  void check(MaskOver over) {
    for (const auto& pattern : subject_.patterns(over)) {
      const auto title = case_.title() + ", " + std::string(laws::name(over)) + " " + pattern.name;
      CAPTURE(title);
      const Made whole = counted(pattern, pattern.batch, true);
      for (const auto& garbage : laws::garbage_kinds()) {
        const Made other = counted(pattern, pattern.batch, true, garbage);
        CHECK(checking::identical(whole->result(), other->result()));
      }
      CHECK((whole->count() > 0) == pattern.any_valid);
      if (!pattern.any_valid) nothing(*whole);
      const bool steps = pattern.batch.time == case_time;
      if (over != MaskOver::full && steps) alone(pattern, *whole);
      if (!pattern.batch.sequences.empty()) split(pattern, *whole);
    }
  }

 private:
  static std::vector<LawInput> drawn(const std::vector<CaseInput>& inputs) {
    std::vector<LawInput> all;
    for (const auto& input : inputs) {
      const auto i = all.size();
      all.push_back({"input " + std::to_string(i), input.kind, draw(input, 100 + i)});
    }
    return all;
  }

  Made make() const { return make_metric(case_.name, case_.options); }

  void add(Metric& metric, const laws::Pattern& pattern, const laws::Batch& batch, bool masked,
           const laws::Garbage& garbage = laws::nothing_odd) {
    into_ = &metric;
    subject_.run(pattern, batch, masked, garbage);
  }
  Made counted(const laws::Pattern& pattern, const laws::Batch& batch, bool masked,
               const laws::Garbage& garbage = laws::nothing_odd) {
    Made metric = make();
    add(*metric, pattern, batch, masked, garbage);
    return metric;
  }

  void same(const Metric& part, const Metric& whole) {
    const Tensor a = part.result(), b = whole.result();
    REQUIRE(checking::same_layout(a, b));
    const double near = dtype_ == DType::f64 ? 1e-12 : 1e-6;
    for (std::int64_t i = 0; i < rows::total(a); ++i) {
      const double x = checking::value_at(a, i), y = checking::value_at(b, i);
      CHECK(std::abs(x - y) <= near * std::max(1., std::abs(y)));
    }
    CHECK(part.count() == doctest::Approx(whole.count()));
  }

  /// Each sequence's valid steps by themselves, unpadded.
  void alone(const laws::Pattern& pattern, const Metric& whole) {
    if (pattern.batch.sequences.empty()) return;
    const Made all = make();
    for (const auto s : pattern.batch.sequences) {
      all->merge(*counted(pattern, subject_.alone(pattern, s), false));
    }
    same(*all, whole);
  }

  /// The first sequences and the others: one after the other, and merged, the later part first.
  void split(const laws::Pattern& pattern, const Metric& whole) {
    const auto& all = pattern.batch;
    for (std::size_t n = 0; n <= all.sequences.size(); ++n) {
      const laws::Batch a = part(all, 0, n), b = part(all, n, all.sequences.size());
      const Made turns = make();
      add(*turns, pattern, a, true);
      add(*turns, pattern, b, true);
      same(*turns, whole);
      const Made merged = counted(pattern, b, true);
      merged->merge(*counted(pattern, a, true));
      same(*merged, whole);
    }
  }
  static laws::Batch part(const laws::Batch& whole, std::size_t from, std::size_t to) {
    laws::Batch batch{{}, whole.time, {}};
    const auto time = static_cast<std::size_t>(whole.time);
    for (std::size_t s = from; s < to; ++s) {
      batch.sequences.push_back(whole.sequences[s]);
      const auto* positions = whole.positions.data() + s * time;
      batch.positions.insert(batch.positions.end(), positions, positions + time);
    }
    return batch;
  }

  static void nothing(const Metric& metric) {
    const Tensor all = metric.result();
    if (metric.kind() == "ConfusionMatrix") {  // a sum: of nothing 0
      CHECK(sum(all).item() == 0);
      return;
    }
    CHECK(rows::total(all) == 0);
    CHECK(all.has_mask());
  }

  const MetricCase& case_;
  DType dtype_;
  Metric* into_ = nullptr;
  std::vector<LawInput> inputs_;
  LawOptions options_;
  Callable f_ = [this](const Tensors& x) {
    into_->update(x[0], x[1], x.size() > 2 ? x[2] : Tensor());
    return Tensors{into_->result()};
  };
  laws::Subject subject_{f_, inputs_, options_};
};

void check_metric(const MetricCase& c, DType dtype) {
  CaseInput t = c.target, p = c.prediction;
  const CaseInput weights{.shape = {},
                          .kind = c.whole ? InputKind::samples : InputKind::covered,
                          .draw = Draw::positive};
  std::vector<std::vector<CaseInput>> sets{{t, p}, {t, p, weights}};
  if (!c.whole) {  // the one masked, the other with garbage there
    t.kind = p.kind = InputKind::covered;
    sets.push_back({c.target, p});
    sets.push_back({t, c.prediction});
  }
  for (const auto& inputs : sets) {
    for (const auto over : {MaskOver::nothing, MaskOver::steps, MaskOver::samples}) {
      MetricLaws(c, inputs, dtype).check(over);
    }
    if (c.over_features) MetricLaws(c, inputs, dtype).check(MaskOver::full);
  }
}

TEST_SUITE("laws") {
  TEST_CASE("padding changes no metric, and any split of the data gives that of the whole, f64") {
    for (const auto& c : metric_cases()) check_metric(c, DType::f64);
  }
  TEST_CASE("the same in f32") {
    for (const auto& c : metric_cases()) check_metric(c, DType::f32);
  }
  TEST_CASE("a position counts where target and prediction, each with its mask, are valid") {
    const Mask a = Mask::from_lengths({5, 3, 0, 2}, 5);
    const Mask b = Mask::keep({{false, true, true, false, true},
                               {true, false, true, true, true},
                               {true, true, true, true, true},
                               {false, false, true, true, true}});
    const Tensor one = zeros({4, 5}).with_mask(a);
    const Mask both = one.with_mask(b).mask();
    for (const auto& c : metric_cases()) {
      if (c.whole) continue;
      CAPTURE(c.title());
      const Tensor t = draw(c.target, 1), p = draw(c.prediction, 2);
      const Made apart = make_metric(c.name, c.options), together = make_metric(c.name, c.options);
      apart->update(t.with_mask(a), p.with_mask(b));
      together->update(t, p.with_mask(both));
      CHECK(apart->count() > 0);
      CHECK(checking::identical(apart->result(), together->result()));
      CHECK(apart->count() == together->count());
      // So does the mask of the weights.
      const Made weighted = make_metric(c.name, c.options);
      weighted->update(t, p.with_mask(b), ones({4, 5}, DType::f64).with_mask(a));
      CHECK(checking::identical(weighted->result(), together->result()));
    }
  }
}

TEST_SUITE("coverage") {
  TEST_CASE("every metric of the library has a case") {
    const auto cases = metric_cases();
    for (const auto name : metric_names()) {
      const bool there = std::any_of(cases.begin(), cases.end(),
                                     [&](const MetricCase& c) { return c.name == name; });
      CHECK_MESSAGE(there, name, " has no row in tests/layers/metric_cases.cpp");
    }
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_metric_laws
