#include <doctest/doctest.h>

#include <maskgrad/core/context.hpp>
#include <maskgrad/core/mask.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_error {

TEST_SUITE("errors") {
  TEST_CASE("text and fields") {
    try {
      fail<ShapeError>("matmul", "{} is {}", "x", 3);
    } catch (const Error& e) {
      CHECK(std::string(e.what()) == "matmul: x is 3");
      CHECK(e.where == "matmul");
      CHECK(e.layer.empty());
    }
    CHECK_THROWS_AS(fail<MaskError>("f", "x"), std::invalid_argument);
    CHECK_THROWS_AS(fail<FileError>("f", "x"), FileError);
  }

  TEST_CASE("the running layer is named, the innermost one") {
    const extend::LayerScope outer("Sequential", "encoder");
    {
      const extend::LayerScope inner("GRU", "encoder/gru_1");
      CHECK(extend::LayerScope::current()->title() == "GRU 'encoder/gru_1'");
      try {
        fail<OptionError>("units", "no");
      } catch (const Error& e) {
        CHECK(e.layer == "encoder/gru_1");
        CHECK(std::string(e.what()) == "units in GRU 'encoder/gru_1': no");
      }
      CHECK_THROWS_WITH_AS(fail<OptionError>("GRU", "no"), "GRU 'encoder/gru_1': no", OptionError);
      CHECK_THROWS_WITH_AS(fail<OptionError>(inner.title(), "no"), "GRU 'encoder/gru_1': no",
                           OptionError);
      CHECK(Mask::from_lengths({1}).origin() == "GRU 'encoder/gru_1'");
    }
    CHECK(extend::LayerScope::current()->path() == "encoder");
  }

  TEST_CASE("outside of any layer there is none") {
    CHECK(extend::LayerScope::current() == nullptr);
  }
}

}  // namespace maskgrad::tests::test_error
