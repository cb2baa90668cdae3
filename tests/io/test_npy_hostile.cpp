#include <doctest/doctest.h>

#include <maskgrad/core/io/npy.hpp>

#include "files.hpp"

namespace maskgrad::tests::test_npy_hostile {

using namespace maskgrad;

using files::npy;

namespace {

std::string shaped(std::string_view shape) {
  return npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + std::string(shape) + "}");
}

std::string refusal(const std::string& file) {
  return files::message_of([&] { parse_npy(files::bytes(file), "x.npy"); });
}

const std::string again = "; write the file again with numpy.save";
const std::string head = "parse_npy: x.npy, byte ";

}  // namespace

TEST_CASE("npy: fronts that are none") {
  CHECK(refusal("") ==
        head + "0: 8 bytes are needed here, but 0 are left; the file was cut short, make it again");
  CHECK(refusal("not a numpy file") ==
        head + "0: the first bytes are 'not a '; expected '\\x93NUMPY', as in every .npy");
  CHECK(refusal("\x93NUMPY" + files::number(4, 2) + "    ") ==
        head + "6: the format is 4.0; expected 1.0, 2.0 or 3.0; write it again with numpy.save");
  CHECK(refusal("\x93NUMPY" + files::number(1 | 1 << 8, 2) + "    ") ==
        head + "6: the format is 1.1; expected 1.0, 2.0 or 3.0; write it again with numpy.save");
  CHECK(refusal("\x93NUMPY" + files::number(1, 2) + files::number(100, 2) + "{}") ==
        head +
            "8: the header is to have 100 bytes, but 2 follow; the file was cut short, make it "
            "again");
  CHECK(
      refusal("\x93NUMPY" + files::number(2, 2) + files::number(0xFFFFFFFF, 4)) ==
      head +
          "8: the header is to have 4294967295 bytes; expected at most 65536, a plain array needs "
          "under 400; write it again with numpy.save");
}

TEST_CASE("npy: headers that are no dictionary") {
  CHECK(refusal(npy("")) == head + "10: the header has its end; expected '{'" + again);
  CHECK(refusal(npy("[1, 2]")) == head + "10: the header has '[1, 2]'; expected '{'" + again);
  CHECK(refusal(npy("{'descr': '<f4'")) ==
        head + "25: the header has its end; expected '}'" + again);
  CHECK(refusal(npy("{'descr': '<f4}")) ==
        head + "21: the header has '<f4}'; expected the end of a string" + again);
  CHECK(refusal(npy("{'descr': 'a\\x'}")) ==
        head + "21: the header has 'a\\x'}'; expected a string without a backslash" + again);
  CHECK(refusal(npy("{'descr': '<f4'}")) ==
        head + "10: the header lacks one of 'descr', 'fortran_order' and 'shape'" + again);
  CHECK(refusal(npy("{'descr': '<f4', 'descr': '<f8'}")) ==
        head + "35: the header has 'descr' twice; expected it once");
  CHECK(refusal(npy("{'more': 1}")) ==
        head + "18: the header has the key 'more'; expected 'descr', 'fortran_order' and 'shape'" +
            again);
  CHECK(refusal(npy("{'fortran_order': 1}")) ==
        head + "28: the header has '1}'; expected True or False" + again);
  CHECK(refusal(shaped("()") + "x") ==
        head +
            "63: 1 bytes follow the header; expected 4 for the shape [] of "
            "4-byte elements; the file was cut short or has more than one array in it");
  CHECK(refusal(npy("{'descr': '<f4', 'fortran_order': False, 'shape': ()} __import__('os')")) ==
        head + "64: the header has '__import__(''; expected nothing after the dictionary" + again);
}

TEST_CASE("npy: shapes that are none") {
  CHECK(refusal(shaped("(3)")) == head + "62: the header has ')}'; expected ','" + again);
  CHECK(refusal(shaped("3")) == head + "60: the header has '3}'; expected '('" + again);
  CHECK(refusal(shaped("(-1,)")) ==
        head + "61: the header has '-1,)}'; expected a size from 0 to 9223372036854775807" + again);
  CHECK(refusal(shaped("(9223372036854775808,)")) ==
        head + "61: the header has '922337203685'; expected a size from 0 to 9223372036854775807" +
            again);
  CHECK(refusal(shaped("(x,)")) == head + "61: the header has 'x,)}'; expected a size" + again);
  std::string many = "(";
  for (int i = 0; i < 65; ++i) many += "1,";
  CHECK(refusal(shaped(many + ")")) ==
        head + "189: the shape has more than 64 axes; reshape the array before saving");
}

TEST_CASE("npy: sizes that do not fit the file, or anything") {
  CHECK(refusal(shaped("(2, 3)") + std::string(20, 'x')) ==
        head +
            "67: 20 bytes follow the header; expected 24 for the shape [2, 3] of 4-byte elements; "
            "the "
            "file was cut short or has more than one array in it");
  CHECK(refusal(shaped("(2, 3)") + std::string(25, 'x')).find("25 bytes follow") !=
        std::string::npos);
  CHECK(refusal(shaped("(1000000000000,)")).find("expected 4000000000000 for") !=
        std::string::npos);
  for (auto shape :
       {"(4294967296, 4294967296)", "(9223372036854775807,)", "(0, 9223372036854775807)"}) {
    CAPTURE(shape);
    CHECK(refusal(shaped(shape)).find("is too large to count; expected fewer than 2^62 bytes") !=
          std::string::npos);
  }
}

TEST_CASE("npy: every file cut short is refused") {
  for (auto name : {"f4.npy", "f8_fortran.npy", "version2.npy", "b1.npy"}) {
    const auto whole = files::load(files::fixture(name));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      CHECK_THROWS_AS(parse_npy(files::bytes(whole).first(size), name), FileError);
    }
  }
}

TEST_CASE("npy: what is no file") {
  const files::TemporaryFolder folder;
  const auto missing = folder / "missing.npy";
  CHECK(
      files::message_of([&] { read_npy(missing); }) ==
      "read_npy: " + missing.string() +
          " cannot be opened (No such file or directory); give a file that exists and may be read");
  CHECK(files::message_of([&] { read_npy(folder.path()); }) ==
        "read_npy: " + folder.path().string() + " is a folder; give the path of a regular file");
  const auto pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(files::message_of([&] { read_npy(pipe); }) ==
        "read_npy: " + pipe.string() + " is a pipe or a device; give the path of a regular file");
}

TEST_CASE("npy: arrays that do not fit themselves are not written") {
  Array array{DType::f64, {2, 3}, std::vector<std::byte>(47)};
  CHECK_THROWS_WITH_AS(npy_bytes(array),
                       "npy_bytes: array 'given' has 2 axes and 47 bytes of f64, which do not fit; "
                       "give as many bytes as its shape needs, and at most 64 axes",
                       ShapeError);
  array.shape = {-1, -6};
  CHECK_THROWS_AS(npy_bytes(array), ShapeError);
  const Array odd{DType::boolean, {1}, {std::byte{7}}};
  CHECK_THROWS_WITH_AS(npy_bytes(odd),
                       "npy_bytes: array 'given' of bool has the byte 7; give 0 or 1", TypeError);
}

TEST_CASE("Array: the wrong type and the wrong number are refused") {
  const auto array = files::array_of<float>({1}, {1.f});
  CHECK_THROWS_WITH_AS(array.values<double>(),
                       "Array::values: the array holds f32, but f64 was asked for; use dtype first",
                       TypeError);
  CHECK_THROWS_WITH_AS(files::array_of<float>({2}, {1.f}),
                       "Array::of: got 1 values for a shape of 2 elements; give one for each",
                       ShapeError);
}

}  // namespace maskgrad::tests::test_npy_hostile
