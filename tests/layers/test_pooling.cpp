#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_pooling {
namespace {

using Values = std::vector<double>;
using Bits = std::vector<bool>;

/// Two sequences of three steps and two features, the second without a valid step.
Tensor sequences() {
  return tensor(Values{1, 9, 50, 60, 4, 2, 7, 7, 8, 8, 9, 9}, {2, 3, 2})
      .with_mask(Mask::keep({{true, false, true}, {false, false, false}}));
}

TEST_CASE("global poolings count valid steps alone; of an empty sequence there is a sum of 0") {
  const Tensor mean = GlobalAveragePooling1D{}(sequences()),
               most = GlobalMaxPooling1D{}(sequences()), total = GlobalSumPooling1D{}(sequences());
  CHECK(mean.to_vector<double>(-1) == Values{2.5, 5.5, -1, -1});
  CHECK(most.to_vector<double>(-1) == Values{4, 9, -1, -1});
  CHECK(total.to_vector<double>(-1) == Values{5, 11, 0, 0});
  for (const auto& y : {mean, most}) CHECK(y.mask().to_vector() == Bits{true, false});
  CHECK_FALSE(total.has_mask());
  CHECK_FALSE(GlobalMaxPooling1D{}(sequences().drop_mask("a test", 0)).has_mask());
  const Tensor kept = GlobalSumPooling1D{{.keepdims = true}}(sequences());
  CHECK(kept.shape() == Shape{2, 1, 2});
  CHECK(GlobalMaxPooling1D{{.keepdims = true}}(sequences()).mask().shape() == Shape{2, 1});
}

TEST_CASE("global poolings of channels first run over the last axis") {
  const Tensor x = tensor(Values{1, 2, 3, 4, 5, 6}, {1, 2, 3});
  CHECK(GlobalSumPooling1D{{.data_format = "channels_first"}}(x).to_vector<double>() ==
        Values{6, 15});
  const GlobalMaxPooling1D layer{{.data_format = "channels_first", .keepdims = true}};
  CHECK(GlobalMaxPooling1D{layer}(x).shape() == Shape{1, 2, 1});
  CHECK(mask_support(layer).role() == MaskRole::propagates);
  CHECK(mask_support<GlobalMaxPooling1D>().role() == MaskRole::consumes);
}

TEST_CASE("the maximum's gradient goes to where it stands, the sum's to every valid step") {
  const Tensor x = sequences().drop_mask("a leaf").with_grad();
  sum(GlobalMaxPooling1D{}(x.with_mask(sequences().mask()))).backward();
  CHECK(x.grad().to_vector<double>() == Values{0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0});
  x.clear_grad();
  sum(GlobalSumPooling1D{}(x.with_mask(sequences().mask()))).backward();
  CHECK(x.grad().to_vector<double>() == Values{1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("FirstStep and LastStep: the edges of each sequence, wherever its padding stands") {
  const Tensor x =
      tensor(Values{1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 3, 1})
          .with_mask(Mask::keep({{false, true, true}, {true, true, false}, {false, false, false}}));
  CHECK(FirstStep{}(x).to_vector<double>(-1) == Values{2, 4, -1});
  CHECK(LastStep{}(x).to_vector<double>(-1) == Values{3, 5, -1});
  CHECK(LastStep{}(x).mask().to_vector() == Bits{true, true, false});
  CHECK(LastStep{}(tensor(Values{1, 2}, {1, 2})).to_vector<double>() == Values{2});
  const Tensor each = tensor(Values{1, 2, 3, 4}, {1, 2, 2})
                          .with_mask(Mask::keep({true, false, false, true}, {1, 2, 2}));
  CHECK(LastStep{}(each).to_vector<double>() == Values{1, 4});
  CHECK_FALSE(LastStep{}(each).has_mask());
  for (const Tensor& none :
       {zeros({2, 0, 3}), zeros({2, 0, 3}).with_mask(Mask::keep(Bits{true, true}, {2}))}) {
    CHECK(FirstStep{}(none).shape() == Shape{2, 3});
    CHECK(FirstStep{}(none).mask().valid() == 0);
  }
}

TEST_CASE("poolings refuse inputs and options that do not fit") {
  CHECK(throws<ShapeError>(
      [] {
        GlobalMaxPooling1D{}(zeros({2, 3}));
      },
      "GlobalMaxPooling1D 'global_max_pooling1d': input is f32[2, 3] with 2 "
      "axes; expected 3, [batch, time, features]"));
  CHECK(throws<ShapeError>(
      [] {
        GlobalSumPooling1D{{.data_format = "channels_first"}}(zeros({2, 3}));
      },
      "[batch, features, time]"));
  CHECK(throws<OptionError>([] { GlobalSumPooling1D{{.data_format = "last"}}; },
                            "GlobalSumPooling1D: the option .data_format is 'last'",
                            "channels_last"));
  CHECK(throws<ShapeError>([] { LastStep{}(zeros({2})); },
                           "LastStep 'last_step': input is f32[2]; expected [batch, time, ...]"));
}

}  // namespace
}  // namespace maskgrad::tests::test_pooling
