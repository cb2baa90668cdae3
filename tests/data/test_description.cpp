#include <doctest/doctest.h>

#include "data/sequences.hpp"

namespace maskgrad::tests::test_description {
namespace {

TEST_CASE("description: lengths, counted by hand") {
  const DataDescription d = counted({3, 0, 7, 2, 3}).describe();
  CHECK(d.sequences == 5);
  CHECK(d.steps == 15);
  CHECK(d.shortest == 0);
  CHECK(d.longest == 7);
  CHECK(d.mean == 3);
  CHECK(d.median == 3);
  CHECK(counted({4, 1, 2, 9}).describe().median == 3);
  REQUIRE(d.histogram.size() == 8);
  CHECK(d.histogram[3].from == 3);
  CHECK(d.histogram[3].to == 3);
  CHECK(d.histogram[3].sequences == 2);
  CHECK(d.histogram[1].sequences == 0);
  CHECK(d.padding() == 0);
}

TEST_CASE("description: what padding the batches of an epoch would have carried") {
  const Batches batches{counted({3, 0, 7, 2, 3}), {.batch_size = 2, .shuffle = false}};
  const DataDescription d = batches.describe();
  CHECK(d.batches == 3);
  CHECK(d.positions == 2 * 3 + 2 * 7 + 3);
  CHECK(d.valid == 15);
  CHECK(d.padding() == doctest::Approx(8.0 / 23));
  const Batches sorted{counted({3, 0, 7, 2, 3}),
                       {.batch_size = 2, .shuffle = false, .bucket = true}};
  CHECK(sorted.describe().positions == 2 * 2 + 2 * 3 + 7);
  const Batches windows{counted({3, 0, 7}), {.batch_size = 2, .shuffle = false, .window = 2}};
  CHECK(windows.describe().positions == 4 + 4 + 4 + 4 + 2);
}

TEST_CASE("description: as text") {
  const Batches batches{counted({3, 0, 7, 2, 3}), {.batch_size = 2, .shuffle = false}};
  CHECK(batches.describe().str() ==
        "5 sequences, 15 steps; length 0 to 7, median 3, mean 3.0\n"
        "0 - 0  1  ####################\n"
        "1 - 1  0\n"
        "2 - 2  1  ####################\n"
        "3 - 3  2  ########################################\n"
        "4 - 4  0\n"
        "5 - 5  0\n"
        "6 - 6  0\n"
        "7 - 7  1  ####################\n"
        "3 batches; padded they would have 23 positions, 34.8 % of them padding\n");
  Numbers lengths(100, 50);
  lengths.push_back(5);
  lengths.push_back(104);
  const auto d = counted(lengths).describe();
  CHECK(d.histogram.size() == 10);
  CHECK(d.str() ==
        "102 sequences, 5109 steps; length 5 to 104, median 50, mean 50.1\n"
        "  5 -  14    1  #\n"
        " 15 -  24    0\n"
        " 25 -  34    0\n"
        " 35 -  44    0\n"
        " 45 -  54  100  ########################################\n"
        " 55 -  64    0\n"
        " 65 -  74    0\n"
        " 75 -  84    0\n"
        " 85 -  94    0\n"
        " 95 - 104    1  #\n");
  CHECK(counted({}).describe().str() == "no sequences\n");
  CHECK(counted({4, 4}).describe().histogram.size() == 1);
}

}  // namespace
}  // namespace maskgrad::tests::test_description
