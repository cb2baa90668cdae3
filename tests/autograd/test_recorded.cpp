#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>

#include "declared_ops.hpp"
#include "recorded/calls.hpp"
#include "recorded/entries.hpp"

// data/recorded.safetensors: what NumPy and PyTorch gave; see make_recorded_results.py.

namespace maskgrad::tests::test_recorded {
namespace {

using Names = std::pair<std::string, std::string>;

/// Operations of which no other library can say the numbers, and why.
const std::map<std::string, std::string> exempt{
    {"dropout", "draws by a key of its own; see test_dropout.cpp"},
    {"alpha_dropout", "draws by a key of its own; see layers/test_noise_layers.cpp"},
    {"gaussian_dropout", "draws by a key of its own; see layers/test_noise_layers.cpp"},
    {"gaussian_noise", "draws by a key of its own; see layers/test_noise_layers.cpp"},
    {"crf_decode_best", "held against all paths in test_decoding_crf.cpp"},
    {"ctc_beam_decode", "held against all paths in test_decoding_ctc.cpp"},
    {"ctc_greedy_decode", "held against all paths in test_decoding_ctc.cpp"},
    {"depthwise", "takes windows; held against plain loops in layers/test_window_layers.cpp"},
    {"overlap_add", "takes windows; see test_windows.cpp and layers/test_convolution.cpp"},
    {"norm", "exact at both ends of the range, as NumPy's is not; see test_zeros_select.cpp"},
    {"window_sizes", "counts steps of windows; see layers/test_window_pooling.cpp"}};

/// Operations of several tensors that are broadcast to each other.
const std::set<std::string> broadcasting{
    "add",           "subtract",    "multiply",   "divide",      "power",         "maximum",
    "minimum",       "equal",       "not_equal",  "less",        "less_equal",    "greater",
    "greater_equal", "logical_and", "logical_or", "logical_xor", "floor_divide",  "remainder",
    "atan2",         "logaddexp",   "prelu",      "where",       "batched_matmul"};

const std::map<Names, Callable>& calls() {
  static const auto all = [] {
    std::map<Names, Callable> made;
    for (auto family : {elementwise_calls, reduction_calls, shape_calls, sequence_calls}) {
      for (auto& c : family()) {
        const bool first = made.emplace(Names{c.op, c.variant}, c.f).second;
        CHECK_MESSAGE(first, c.op, " (", c.variant, ") stands twice in recorded/calls_*.cpp");
      }
    }
    return made;
  }();
  return all;
}

Tensor as_f32(const Tensor& x) {
  return x.dtype() == DType::f64 ? cast(x, DType::f32) : x;
}

/// The greatest difference in units of what is allowed; `tolerance` is relative and absolute.
double apart(const Tensor& y, const Tensor& expected, double tolerance) {
  const auto a = cast(y, DType::f64).to_vector<double>();
  const auto b = cast(expected, DType::f64).to_vector<double>();
  double greatest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double far = std::abs(a[i] - b[i]) / (tolerance * (1 + std::abs(b[i])));
    greatest = std::isnan(far) ? INFINITY : std::max(greatest, far);
  }
  return greatest;
}

void check(const RecordedEntry& entry, const std::vector<Tensor>& inputs, double tolerance,
           bool types) {
  CAPTURE(entry.title());
  const auto f = calls().find({entry.op, entry.variant});
  REQUIRE_MESSAGE(f != calls().end(), "has no call in recorded/calls_*.cpp");
  const auto results = f->second(inputs);
  REQUIRE(results.size() == entry.results.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Tensor &y = results[i], &expected = entry.results[i];
    CAPTURE(i);
    if (types) CHECK(y.dtype() == expected.dtype());
    const bool fits = y.shape() == expected.shape() && y.mask() == expected.mask();
    CHECK_MESSAGE(fits, y.describe(), "\nrecorded: ", expected.describe(), "\n", y.str(),
                  expected.str());
    if (!fits) continue;
    CHECK_MESSAGE(apart(y, expected, tolerance) <= 1, y.str(), "\nrecorded: ", expected.str());
  }
}

/// Whether the inputs of an entry differ in rank.
bool broadcasts(const RecordedEntry& entry) {
  const auto& x = entry.inputs;
  return std::any_of(x.begin(), x.end(), [&](const Tensor& t) { return t.rank() != x[0].rank(); });
}

bool empty(const RecordedEntry& entry) {
  const auto& x = entry.inputs;
  return std::any_of(x.begin(), x.end(), [](const Tensor& t) { return t.shape().count() == 0; });
}

/// What the entries of an operation lack.
std::string lacks(const std::string& op) {
  std::set<std::string> shapes;
  bool an_empty_one = false, a_broadcast_one = broadcasting.count(op) == 0;
  for (const auto& entry : recorded_entries()) {
    if (entry.op != op) continue;
    std::string all;
    for (const auto& x : entry.inputs) all += x.shape().str();
    shapes.insert(all);
    an_empty_one = an_empty_one || empty(entry);
    a_broadcast_one = a_broadcast_one || broadcasts(entry);
  }
  if (shapes.size() < 3) return " shapes (it has " + std::to_string(shapes.size()) + ")";
  return std::string(an_empty_one ? "" : " an empty shape") +
         (a_broadcast_one ? "" : " broadcasting");
}

}  // namespace

TEST_SUITE("recorded results") {
  TEST_CASE("f64") {
    for (const auto& entry : recorded_entries()) check(entry, entry.inputs, 1e-13, true);
  }

  TEST_CASE("f32") {
    for (const auto& entry : recorded_entries()) {
      auto inputs = entry.inputs;
      for (auto& x : inputs) x = as_f32(x);
      check(entry, inputs, 2e-5, false);
    }
  }

  TEST_CASE("under a mask of no axes: the same values, or none") {
    int refused = 0;
    for (const auto& entry : recorded_entries()) {
      if (entry.inputs[0].has_mask()) continue;
      CAPTURE(entry.title());
      for (const bool valid : {true, false}) {
        auto inputs = entry.inputs;
        inputs[0] = inputs[0].with_mask(Mask::keep(std::vector<bool>{valid}, {}));
        try {
          const auto results = calls().at({entry.op, entry.variant})(inputs);
          for (std::size_t i = 0; valid && i < results.size(); ++i) {
            CHECK(apart(results[i], entry.results[i], 1e-13) <= 1);
          }
        } catch (const MaskError&) {
          ++refused;
        }
      }
    }
    CHECK(refused < 120);  // those whose first input can have no mask
  }

  TEST_CASE("every operation has three shapes, one empty, one broadcast") {
    const auto declared = declared_ops();
    for (const auto& op : declared) {
      const std::string lack = exempt.count(op) ? "" : lacks(op);
      CHECK_MESSAGE(lack.empty(), "recorded results of ", op, " lack", lack);
    }
    std::set<Names> recorded;
    for (const auto& entry : recorded_entries()) {
      recorded.insert({entry.op, entry.variant});
      CHECK_MESSAGE(declared.count(entry.op), entry.title(), " names no operation");
    }
    for (const auto& call : calls()) {
      const Names& names = call.first;
      CHECK_MESSAGE(recorded.count(names), names.first, " (", names.second, ") is not recorded");
    }
  }
}

}  // namespace maskgrad::tests::test_recorded
