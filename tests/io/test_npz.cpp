#include <doctest/doctest.h>

#include <maskgrad/core/io/npz.hpp>

#include "files.hpp"

namespace maskgrad::tests::test_npz {

using namespace maskgrad;
using files::fixture;
using files::samples;

namespace {

using Names = std::vector<std::string>;

NamedArrays expected() {
  return {{"b", files::array_of<double>({2, 3}, {0, 0.5, 1, 1.5, 2, 2.5})},
          {"a/kernel", files::array_of<std::int64_t>({3}, {-2147483648, 1, 2147483647})},
          {"c", files::array_of<bool>({}, {true})}};
}

}  // namespace

TEST_CASE("npz: stored, streamed and deflated, as NumPy writes them") {
  CHECK(read_npz(fixture("stored.npz")) == expected());
  CHECK(read_npz(fixture("streamed.npz")) == expected());
  auto deflated = read_npz(fixture("deflated.npz"));
  REQUIRE(deflated.size() == 4);
  CHECK(deflated[0].name == "zeros");
  CHECK(deflated[0].array == Array{DType::f32, {500}, std::vector<std::byte>(2000)});
  deflated.erase(deflated.begin());
  CHECK(deflated == expected());
  CHECK(read_npz(fixture("nothing.npz")).empty());
}

TEST_CASE("npz: one array is read without the others") {
  const NpzReader reader(fixture("deflated.npz"));
  CHECK(reader.names() == Names{"zeros", "b", "a/kernel", "c"});
  CHECK(reader.contains("a/kernel"));
  CHECK_FALSE(reader.contains("kernel"));
  CHECK(reader.read("c") == expected()[2].array);
  CHECK(reader.read("b") == expected()[0].array);
  CHECK(reader.read("b") == expected()[0].array);
  // The other entry is damaged, and that does not matter.
  auto file = files::load(fixture("stored.npz"));
  file[200] = static_cast<char>(file[200] ^ 1);
  const NpzReader damaged(files::bytes(file), "damaged.npz");
  CHECK(damaged.read("a/kernel") == expected()[1].array);
  CHECK_THROWS_AS(damaged.read("b"), FileError);
}

TEST_CASE("npz: a name that is not there") {
  const NpzReader reader(files::bytes("PK\5\6" + std::string(18, '\0')), "none.npz");
  CHECK(files::message_of([&] { reader.read("w"); }) ==
        "parse_npz: none.npz holds no array 'w'; expected one of its 0: none; see names()");
  const auto path = fixture("stored.npz");
  CHECK(files::message_of([&] { NpzReader(path).read("kernel"); }) ==
        "read_npz: " + path.string() +
            " holds no array 'kernel'; expected one of its 3: 'b', 'a/kernel', 'c'; see names()");
}

TEST_CASE("npz: what is written is read again, bit for bit") {
  const files::TemporaryFolder folder;
  for (auto how : {Compression::stored, Compression::deflated}) {
    CHECK(parse_npz(npz_bytes(samples(), how), "memory") == samples());
    write_npz(folder / "x.npz", samples(), how);
    CHECK(read_npz(folder / "x.npz") == samples());
    CHECK(files::load(folder / "x.npz") == files::text(npz_bytes(samples(), how)));
    CHECK(parse_npz(npz_bytes({}, how), "memory").empty());
  }
  CHECK(folder.count() == 1);
}

TEST_CASE("npz: deflating makes files of little information small") {
  const NamedArrays zeros = {{"w", {DType::f64, {125000}, std::vector<std::byte>(1000000)}}};
  const auto bytes = npz_bytes(zeros, Compression::deflated);
  CHECK(bytes.size() < 2000);
  CHECK(npz_bytes(zeros).size() > 1000000);
  CHECK(parse_npz(bytes, "memory") == zeros);
}

TEST_CASE("npz: many entries keep their order") {
  NamedArrays many;
  for (int i = 0; i < 3000; ++i) {
    many.push_back({std::to_string(i * 7919 % 3000), files::array_of<std::int64_t>({}, {i})});
  }
  CHECK(parse_npz(npz_bytes(many), "memory") == many);
}

TEST_CASE("npz: names that are refused when written") {
  const auto refused = [](const std::string& name) {
    return files::message_of([&] { npz_bytes({{name, files::array_of<bool>({}, {true})}}); });
  };
  const std::string advice = "; give a plain name, as 'encoder/kernel'";
  CHECK(refused("") == "npz_bytes: the name '' is empty" + advice);
  CHECK(refused("../x") == "npz_bytes: the name '../x' leads out of its folder" + advice);
  CHECK(refused("a/..") == "npz_bytes: the name 'a/..' leads out of its folder" + advice);
  CHECK(refused("/etc/x") == "npz_bytes: the name '/etc/x' is like an absolute path" + advice);
  CHECK(refused("a\\b") == "npz_bytes: the name 'a\\b' is like an absolute path" + advice);
  CHECK(refused(std::string("a\0b", 3)) == "npz_bytes: the name 'a\\x00b' holds a NUL" + advice);
  CHECK(refused("\xC0\x80") == "npz_bytes: the name '\\xc0\\x80' is not UTF-8" + advice);
  CHECK(refused(std::string(65532, 'a')).ends_with("...' is too long for a zip file" + advice));
  CHECK(refused("a..b/..c/...") == "no error");
  const auto one = files::array_of<bool>({}, {true});
  CHECK(files::message_of([&] {
          npz_bytes({{"a", one}, {"b", one}, {"a", one}});
        }) == "npz_bytes: the name 'a' comes twice; give every array a name of its own");
}

}  // namespace maskgrad::tests::test_npz
