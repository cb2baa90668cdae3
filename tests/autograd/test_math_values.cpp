#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/activations.hpp>
#include <maskgrad/autograd/ops/unary.hpp>

#include "counted.hpp"

namespace maskgrad::tests {
namespace {

using Unary = Tensor (*)(const Tensor&);

struct Row {
  const char* name;
  Unary f;
  const Values& x;
  Values y;
};

const Values whole = {-2.5, -1, -0.25, 0.5, 1, 3.75};
const Values positive = {0.01, 0.25, 1, 2, 9, 100};
const Values unit = {-0.9, -0.5, -0.1, 0.2, 0.5, 0.99};

/// Recorded from NumPy 1.24 (erf from the C library); activations by their formulas there.
const Row rows_of_unary[] = {
    {"abs", abs, whole, {2.5, 1, 0.25, 0.5, 1, 3.75}},
    {"sign", sign, whole, {-1, -1, -1, 1, 1, 1}},
    {"square", square, whole, {6.25, 1, 0.0625, 0.25, 1, 14.0625}},
    {"sqrt", sqrt, positive, {0.1, 0.5, 1, 1.4142135623730951, 3, 10}},
    {"rsqrt", rsqrt, positive, {10, 2, 1, 0.7071067811865475, 0.3333333333333333, 0.1}},
    {"reciprocal", reciprocal, whole, {-0.4, -1, -4, 2, 1, 0.26666666666666666}},
    {"exp",
     exp,
     whole,
     {0.0820849986238988, 0.3678794411714424, 0.7788007830714049, 1.6487212707001282,
      2.718281828459045, 42.52108200006278}},
    {"expm1",
     expm1,
     whole,
     {-0.9179150013761012, -0.6321205588285577, -0.22119921692859512, 0.6487212707001282,
      1.7182818284590453, 41.52108200006278}},
    {"log",
     log,
     positive,
     {-4.605170185988091, -1.3862943611198906, 0, 0.6931471805599453, 2.197224577336219,
      4.605170185988091}},
    {"log1p",
     log1p,
     positive,
     {0.009950330853168083, 0.22314355131420974, 0.6931471805599453, 1.0986122886681096,
      2.3025850929940455, 4.61512051684126}},
    {"log2", log2, positive, {-6.643856189774724, -2, 0, 1, 3.169925001442312, 6.643856189774724}},
    {"log10",
     log10,
     positive,
     {-2, -0.6020599913279624, 0, 0.3010299956639812, 0.9542425094393249, 2}},
    {"sin",
     sin,
     whole,
     {-0.5984721441039564, -0.8414709848078965, -0.24740395925452296, 0.47942553860420295,
      0.8414709848078965, -0.5715613187423437}},
    {"cos",
     cos,
     whole,
     {-0.8011436155469338, 0.5403023058681397, 0.968912421710645, 0.8775825618903725,
      0.5403023058681397, -0.8205593573395608}},
    {"tan",
     tan,
     whole,
     {0.7470222972386602, -1.557407724654902, -0.25534192122103627, 0.5463024898437905,
      1.557407724654902, 0.6965508511114601}},
    {"asin",
     asin,
     unit,
     {-1.1197695149986342, -0.5235987755982989, -0.1001674211615598, 0.2013579207903308,
      0.5235987755982989, 1.4292568534704693}},
    {"acos",
     acos,
     unit,
     {2.6905658417935308, 2.0943951023931957, 1.6709637479564563, 1.3694384060045657,
      1.0471975511965976, 0.1415394733244273}},
    {"atan",
     atan,
     whole,
     {-1.1902899496825317, -0.7853981633974483, -0.24497866312686414, 0.4636476090008061,
      0.7853981633974483, 1.3101939350475555}},
    {"sinh",
     sinh,
     whole,
     {-6.0502044810397875, -1.1752011936438014, -0.2526123168081683, 0.5210953054937474,
      1.1752011936438014, 21.248782127103386}},
    {"cosh",
     cosh,
     whole,
     {6.132289479663686, 1.5430806348152437, 1.031413099879573, 1.1276259652063807,
      1.5430806348152437, 21.272299872959394}},
    {"tanh",
     tanh,
     whole,
     {-0.9866142981514303, -0.7615941559557649, -0.24491866240370913, 0.46211715726000974,
      0.7615941559557649, 0.9988944427261528}},
    {"erf",
     erf,
     whole,
     {-0.999593047982555, -0.8427007929497149, -0.2763263901682369, 0.5204998778130465,
      0.8427007929497149, 0.9999998862727434}},
    {"floor", floor, whole, {-3, -1, -1, 0, 1, 3}},
    {"ceil", ceil, whole, {-2, -1, -0, 1, 1, 4}},
    {"round", round, whole, {-2, -1, -0, 0, 1, 4}},
    {"relu", relu, whole, {0, 0, 0, 0.5, 1, 3.75}},
    {"relu6", relu6, whole, {0, 0, 0, 0.5, 1, 3.75}},
    {"leaky_relu", leaky_relu, whole, {-0.5, -0.2, -0.05, 0.5, 1, 3.75}},
    {"elu",
     elu,
     whole,
     {-0.9179150013761012, -0.6321205588285577, -0.22119921692859512, 0.5, 1, 3.75}},
    {"selu",
     selu,
     whole,
     {-1.6137857588732423, -1.1113307378125625, -0.3888901974781189, 0.5253504936777402,
      1.0507009873554805, 3.940128702583052}},
    {"gelu",
     gelu,
     whole,
     {-0.015524163314440398, -0.15865525393145707, -0.10032341857926907, 0.34573123063700656,
      0.8413447460685429, 3.7496684351804968}},
    {"silu",
     silu,
     whole,
     {-0.18964545005310887, -0.2689414213699951, -0.10945587477855048, 0.3112296656009273,
      0.7310585786300049, 3.663834862837404}},
    {"mish",
     mish,
     whole,
     {-0.19681620390653332, -0.30340146137410895, -0.129926963679141, 0.3752452113048951,
      0.8650983882673103, 3.746042392996459}},
    {"sigmoid",
     sigmoid,
     whole,
     {0.07585818002124355, 0.2689414213699951, 0.43782349911420193, 0.6224593312018546,
      0.7310585786300049, 0.9770226300899744}},
    {"log_sigmoid",
     log_sigmoid,
     whole,
     {-2.5788897342925496, -1.3132616875182228, -0.8259394198788436, -0.4740769841801067,
      -0.31326168751822286, -0.02324546437242503}},
    {"hard_sigmoid",
     hard_sigmoid,
     whole,
     {0.08333333333333331, 0.33333333333333337, 0.4583333333333333, 0.5833333333333334,
      0.6666666666666666, 1}},
    {"softplus",
     softplus,
     whole,
     {0.07888973429254963, 0.31326168751822286, 0.5759394198788436, 0.9740769841801067,
      1.3132616875182228, 3.773245464372425}},
    {"softsign",
     softsign,
     whole,
     {-0.7142857142857143, -0.5, -0.2, 0.3333333333333333, 0.5, 0.7894736842105263}},
    {"exponential",
     exponential,
     whole,
     {0.0820849986238988, 0.3678794411714424, 0.7788007830714049, 1.6487212707001282,
      2.718281828459045, 42.52108200006278}},
    {"celu",
     celu,
     whole,
     {-0.9179150013761013, -0.6321205588285577, -0.22119921692859512, 0.5, 1, 3.75}},
    {"hard_silu",
     hard_silu,
     whole,
     {-0.20833333333333334, -0.3333333333333333, -0.11458333333333333, 0.2916666666666667,
      0.6666666666666666, 3.75}},
    {"hard_tanh", hard_tanh, whole, {-1, -1, -0.25, 0.5, 1, 1}},
    {"hard_shrink", hard_shrink, whole, {-2.5, -1, 0, 0, 1, 3.75}},
    {"soft_shrink", soft_shrink, whole, {-2, -0.5, 0, 0, 0.5, 3.25}},
    {"tanh_shrink",
     tanh_shrink,
     whole,
     {-1.5133857018485697, -0.23840584404423515, -0.005081337596290869, 0.03788284273999026,
      0.23840584404423515, 2.7511055572738474}},
    {"squareplus",
     squareplus,
     whole,
     {0.35078105935821213, 0.6180339887498949, 0.8827822185373186, 1.2807764064044151,
      1.618033988749895, 4}},
    {"sparse_plus", sparse_plus, whole, {0, 0, 0.140625, 0.5625, 1, 3.75}},
    {"linear", linear, whole, {-2.5, -1, -0.25, 0.5, 1, 3.75}},
};

void check_near(const Tensor& y, const Values& expected, double tolerance = 1e-14) {
  const auto values = y.to_vector<double>(none);
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    CHECK(values[i] == doctest::Approx(expected[i]).epsilon(tolerance));
  }
}

Tensor f32(const Values& values) {
  return tensor(std::vector<float>(values.begin(), values.end()), {2, 3});
}

}  // namespace

TEST_SUITE("unary") {
  TEST_CASE("values as NumPy's, in three shapes, under a mask and of nothing") {
    for (const auto& row : rows_of_unary) {
      CAPTURE(row.name);
      const Unary f = row.f;
      const Values &x = row.x, &expected = row.y;
      check_near(f(tensor(x, {6})), expected);
      check_near(f(tensor(x, {1, 2, 3})), expected);
      const Tensor masked = f(tensor(x, {2, 3}).with_mask(holes()));
      auto kept = expected;
      kept[1] = kept[3] = none;
      check_near(masked, kept);
      const Tensor nothing = f(zeros({0, 3}, DType::f64));
      CHECK(nothing.shape() == Shape{0, 3});
    }
  }

  TEST_CASE("f32 within a few units of the last place") {
    for (const auto& row : rows_of_unary) {
      CAPTURE(row.name);
      const Unary f = row.f;
      const Values &x = row.x, &expected = row.y;
      const auto y = f(f32(x)).to_vector<float>();
      for (std::size_t i = 0; i < y.size(); ++i) {
        CHECK(y[i] == doctest::Approx(expected[i]).epsilon(2e-6));
      }
    }
  }

  TEST_CASE("options") {
    const Tensor x = tensor(whole, {6});
    check_near(gelu(x, true), {-0.015084266089998577, -0.1588080093917233, -0.100324649298315,
                               0.34571400982514394, 0.8411919906082768, 3.7497807479275584});
    check_near(relu(x, {.negative_slope = 0.1, .max_value = 2, .threshold = -0.5}),
               {-0.2, -0.05, -0.25, 0.5, 1, 2});
    check_near(clip(x, -1, 2), {-1, -1, -0.25, 0.5, 1, 2});
    check_near(elu(x, 1.3),
               {-1.1932895017889316, -0.8217567264771249, -0.28755898200717367, 0.5, 1, 3.75});
    check_near(celu(x, 2),
               {-1.4269904062796197, -0.7869386805747332, -0.2350061948308092, 0.5, 1, 3.75});
    check_near(hard_shrink(x, 1), {-2.5, 0, 0, 0, 0, 3.75});
    check_near(soft_shrink(x, 0.75), {-1.75, -0.25, 0, 0, 0.25, 3});
    check_near(squareplus(x, 0), {0, 0, 0, 0.5, 1, 3.75});
    check_near(leaky_relu(x, 0.3), {-0.75, -0.3, -0.075, 0.5, 1, 3.75});
  }

  TEST_CASE("i64") {
    const Tensor x = tensor<std::int64_t>({-3, 0, 4}, {3});
    CHECK(abs(x).to_vector<std::int64_t>() == std::vector<std::int64_t>{3, 0, 4});
    CHECK(sign(x).to_vector<std::int64_t>() == std::vector<std::int64_t>{-1, 0, 1});
    CHECK(square(x).to_vector<std::int64_t>() == std::vector<std::int64_t>{9, 0, 16});
    CHECK(clip(x, -1, 2).to_vector<std::int64_t>() == std::vector<std::int64_t>{-1, 0, 2});
  }

  TEST_CASE("far out: no overflow, NaN stays NaN") {
    constexpr double inf = std::numeric_limits<double>::infinity();
    const Tensor x = tensor<double>({-1000, 1000, -inf, inf}, {4});
    check(sigmoid(x), {4}, {0, 1, 0, 1});
    check(softplus(x), {4}, {0, 1000, 0, inf});
    check(log_sigmoid(x), {4}, {-1000, 0, -inf, 0});
    check(tanh(x), {4}, {-1, 1, -1, 1});
    check(relu(x), {4}, {0, 1000, 0, inf});
    check(elu(x), {4}, {-1, 1000, -1, inf});
    check_near(mish(tensor<double>({-1000, 1000}, {2})), {0, 1000});
    check_near(squareplus(tensor<double>({-1e10, 1e10}, {2})), {1e-10, 1e10});
    for (const auto& row : rows_of_unary) {
      CAPTURE(row.name);
      CHECK(std::isnan(row.f(scalar(std::nan(""), DType::f64)).item()));
    }
  }

  TEST_CASE("gradients at kinks are those of the side below, or 0") {
    const auto slope = [](Unary f, double at) {
      const Tensor x = tensor({at}, {1}).with_grad();
      return pulled(x, f(x))[0];
    };
    CHECK(slope(relu, 0) == 0);
    CHECK(slope(leaky_relu, 0) == 0.2);
    CHECK(slope(abs, 0) == 0);
    CHECK(slope(relu6, 6) == 0);
    CHECK(slope(hard_sigmoid, 3) == 0);
    CHECK(slope(hard_silu, -3) == 0);
    CHECK(slope(hard_tanh, 1) == 0);
    CHECK(slope(soft_shrink, 0.5) == 0);
    CHECK(slope(sparse_plus, 1) == 1);
    CHECK(slope(floor, 0.3) == 0);
    CHECK(slope([](const Tensor& x) { return clip(x, 0, 1); }, 1) == 1);
  }

  TEST_CASE("predicates and logic, broadcast and of nothing") {
    const Tensor x = tensor<double>({1, std::nan(""), -INFINITY, 0}, {4});
    CHECK(isnan(x).to_vector<bool>() == Bits{false, true, false, false});
    CHECK(isinf(x).to_vector<bool>() == Bits{false, false, true, false});
    CHECK(isfinite(x).to_vector<bool>() == Bits{true, false, false, true});
    const Tensor a = tensor<bool>({true, false}, {2, 1}), b = tensor<bool>({true, false}, {2});
    CHECK(logical_and(a, b).to_vector<bool>() == Bits{true, false, false, false});
    CHECK(logical_or(a, b).to_vector<bool>() == Bits{true, true, true, false});
    CHECK(logical_not(b).to_vector<bool>() == Bits{false, true});
    CHECK(logical_and(a, zeros({0, 1, 2}, DType::boolean)).shape() == Shape{0, 2, 2});
  }

  TEST_CASE("activations by name") {
    CHECK(activation_names().size() == 28);
    for (auto name : activation_names()) {
      const Tensor x = tensor(whole, {2, 3});
      CHECK(activation(name)(x).shape() == x.shape());
    }
    check(activation("relu")(tensor<double>({-1, 2}, {2})), {2}, {0, 2});
    const bool swish = activation("swish") == activation("silu");
    CHECK(swish);
    const bool hard_swish = activation("hard_swish") == activation("hard_silu");
    CHECK(hard_swish);
  }
}

}  // namespace maskgrad::tests
