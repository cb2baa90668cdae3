#include <doctest/doctest.h>

#include <cmath>
#include <maskgrad/core/io/npy.hpp>

#include "files.hpp"

namespace maskgrad::tests::test_npy {

using namespace maskgrad;
using files::fixture;

using files::npy;

namespace {

using Shape = std::vector<std::int64_t>;
using Ints = std::vector<std::int64_t>;

void check_integers(std::string_view name, const Ints& expected) {
  CAPTURE(name);
  const auto array = read_npy(fixture(name));
  CHECK(array.dtype == DType::i64);
  CHECK(files::vector_of<std::int64_t>(array) == expected);
}

std::string refusal(const std::string& file) {
  return files::message_of([&] { parse_npy(files::bytes(file), "x.npy"); });
}

std::string described(std::string_view descr) {
  return npy("{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (), }");
}

}  // namespace

TEST_CASE("npy: reals that NumPy wrote") {
  const std::vector<float> ramp = {0, 0.5, 1, 1.5, 2, 2.5};
  for (auto name : {"f4.npy", "version2.npy", "version3.npy"}) {
    CAPTURE(name);
    const auto array = read_npy(fixture(name));
    CHECK(array.shape == Shape{2, 3});
    CHECK(files::vector_of<float>(array) == ramp);
  }
  for (auto name : {"f8_fortran.npy", "f8_big.npy"}) {
    CAPTURE(name);
    const auto array = read_npy(fixture(name));
    CHECK(array.shape == Shape{2, 3});
    CHECK(files::vector_of<double>(array) == std::vector<double>(ramp.begin(), ramp.end()));
  }
  CHECK(files::vector_of<float>(read_npy(fixture("f2_big_fortran.npy"))) ==
        std::vector<float>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("npy: every kind of half becomes the same f32") {
  const auto array = read_npy(fixture("f2.npy"));
  const auto values = files::vector_of<float>(array);
  REQUIRE(values.size() == 9);
  CHECK(std::vector<float>(values.begin(), values.begin() + 8) ==
        std::vector<float>{0, 0, 1, -2.5, 65504, std::ldexp(1.f, -24), std::ldexp(-1023.f, -24),
                           INFINITY});
  CHECK(std::signbit(values[1]));
  CHECK(std::isnan(values[8]));
}

TEST_CASE("npy: integers and bools that NumPy wrote") {
  check_integers("i1.npy", {-128, 0, 127});
  check_integers("i2_big.npy", {-32768, 1, 32767});
  check_integers("i4.npy", {-2147483648, 1, 2147483647});
  check_integers("i8.npy", {INT64_MIN, 1, INT64_MAX});
  check_integers("u1.npy", {0, 128, 255});
  check_integers("u2.npy", {0, 65535});
  check_integers("u4_big.npy", {0, 4294967295});
  check_integers("u8.npy", {0, INT64_MAX});
  const auto bools = read_npy(fixture("b1.npy"));
  CHECK(bools.shape == Shape{2, 2});
  CHECK(files::vector_of<bool>(bools) == std::vector<bool>{true, false, false, true});
}

TEST_CASE("npy: shapes without axes, without elements, of three axes in Fortran order") {
  CHECK(read_npy(fixture("scalar.npy")) == files::array_of<double>({}, {1.5}));
  CHECK(read_npy(fixture("empty.npy")) == files::array_of<float>({0, 3}, {}));
  const auto cube = read_npy(fixture("cube_fortran.npy"));
  CHECK(cube.shape == Shape{2, 3, 4});
  Ints expected(24);
  for (std::size_t i = 0; i < 24; ++i) expected[i] = static_cast<std::int64_t>(i);
  CHECK(files::vector_of<std::int64_t>(cube) == expected);
}

TEST_CASE("npy: what is written is read again, bit for bit") {
  const files::TemporaryFolder folder;
  for (const auto& sample : files::samples()) {
    CAPTURE(sample.name);
    const auto& array = sample.array;
    CHECK(parse_npy(npy_bytes(array), "memory") == array);
    write_npy(folder / "x.npy", array);
    CHECK(read_npy(folder / "x.npy") == array);
    CHECK(files::load(folder / "x.npy") == files::text(npy_bytes(array)));
  }
  CHECK(folder.count() == 1);
}

TEST_CASE("npy: the header is NumPy's own") {
  const auto ours = files::text(npy_bytes(read_npy(fixture("f4.npy"))));
  CHECK(ours == files::load(fixture("f4.npy")));
  const auto scalar = files::text(npy_bytes(read_npy(fixture("scalar.npy"))));
  CHECK(scalar == files::load(fixture("scalar.npy")));
  const auto row = files::text(npy_bytes(read_npy(fixture("i8.npy"))));
  CHECK(row == files::load(fixture("i8.npy")));
}

TEST_CASE("npy: a part of 64 KiB is no border") {
  std::vector<std::int16_t> values(100000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int16_t>(i * 7);
  const std::string_view data(reinterpret_cast<const char*>(values.data()), values.size() * 2);
  for (auto order : {"False", "True"}) {
    const auto file = npy(
        "{'descr': '<i2', 'fortran_order': " + std::string(order) + ", 'shape': (400, 250)}", data);
    const auto read = files::vector_of<std::int64_t>(parse_npy(files::bytes(file), "x.npy"));
    REQUIRE(read.size() == values.size());
    bool same = true;
    for (std::size_t r = 0; r < 400; ++r) {
      for (std::size_t c = 0; c < 250; ++c) {
        same &= read[r * 250 + c] == values[order[0] == 'T' ? c * 400 + r : r * 250 + c];
      }
    }
    CHECK(same);
  }
}

TEST_CASE("npy: spellings of the header that Python reads") {
  const auto ok = [](std::string_view header) {
    return parse_npy(files::bytes(npy(header, std::string(8, '\0'))), "x.npy").shape;
  };
  CHECK(ok("{\"shape\":(2L,),'fortran_order':True,'descr':'>f4'}") == Shape{2});
  CHECK(ok(" { 'descr' : '|b1' , 'shape' : ( 2 , 4 , ) , 'fortran_order' : False , } \n") ==
        Shape{2, 4});
}

TEST_CASE("npy: refusals by element type") {
  const std::string rest =
      "; expected one of b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 with < or > before it; convert it "
      "with "
      "astype before saving";
  const auto refused = [&](std::string_view descr, const std::string& what) {
    CHECK(refusal(described(descr)) == "parse_npy: x.npy, byte 20: the element type '" +
                                           std::string(descr) + "' is " + what + rest);
  };
  refused("<c8", "complex numbers");
  refused("|O", "Python objects, which only running Python can read");
  refused("<f16", "floats of a width that does not convert without loss");
  refused("<U2", "texts");
  refused("|S5", "texts");
  refused("<M8[s]", "dates or durations");
  refused("|V3", "raw bytes");
  refused("<q", "a type that is not known");
  refused("", "without a byte order");
  refused("f4", "without a byte order");
  refused("=f4", "without a byte order");
  refused("|f4", "floats of a width that does not convert without loss");
  for (auto name :
       {"refused_complex.npy", "refused_object.npy", "refused_text.npy", "refused_records.npy"}) {
    CHECK_THROWS_AS(read_npy(fixture(name)), FileError);
  }
  CHECK(refusal(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }")) ==
        "parse_npy: x.npy, byte 21: the elements are records of several fields; expected one real, "
        "integer or bool type; save each field on its own");
}

TEST_CASE("npy: values that do not convert") {
  const auto path = fixture("u8_large.npy");
  CHECK(files::message_of([&] { read_npy(path); }) ==
        "read_npy: " + path.string() +
            ", byte 136: an unsigned 64-bit element is 9223372036854775808, "
            "which does not fit i64 (at most 9223372036854775807); write it as int64 or float64");
  const std::string header = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }";
  CHECK(
      refusal(npy(header, std::string("\0\1\2", 3))) ==
      "parse_npy: x.npy, byte 69: a bool element is the byte 2; expected 0 or 1; write it as uint8 "
      "or repair it");
}

}  // namespace maskgrad::tests::test_npy
