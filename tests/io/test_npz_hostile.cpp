#include <doctest/doctest.h>

#include <maskgrad/core/io/npy.hpp>
#include <maskgrad/core/io/npz.hpp>

#include "zip_builder.hpp"

namespace maskgrad::tests::test_npz_hostile {

using namespace maskgrad;
using files::number;
using files::ZipBuilder;

namespace {

std::string refusal(const std::string& file) {
  return files::message_of([&] { parse_npz(files::bytes(file), "x.npz"); });
}

// The .npy of one bool: 129 bytes.
std::string one() {
  return files::text(npy_bytes(files::array_of<bool>({}, {true})));
}

// A zip of the one entry a.npy, after `change` has been at its fields.
template <class F>
std::string zip_with(F&& change) {
  ZipBuilder zip;
  change(zip.add("a.npy", one()));
  return zip.place().file();
}

const std::string head = "parse_npz: x.npz, byte ";
const std::string again = "; write the file again";

}  // namespace

TEST_CASE("npz: the builder itself makes files that are read") {
  ZipBuilder zip;
  zip.add("a.npy", one());
  zip.add("b.npy", one()).before = "a gap may be";
  CHECK(parse_npz(files::bytes(zip.place().file()), "x.npz").size() == 2);
}

TEST_CASE("npz: ends that are none") {
  CHECK(refusal("") ==
        head + "0: the file has 0 bytes; a zip file has at least 22; give a whole one");
  CHECK(refusal(std::string(30, 'x')) ==
        head +
            "8: the last 22 bytes are no zip end record; the file was cut short, has bytes or a "
            "comment behind its end, or is no zip file");
  auto file = zip_with([](auto&) {});
  CHECK(refusal(file + "x").find("byte 216: the last 22 bytes are no zip end record") !=
        std::string::npos);
  ZipBuilder zip;
  zip.add("a.npy", one());
  zip.place().comment = "hello";
  CHECK(refusal(zip.file()).find("are no zip end record") != std::string::npos);
  zip.comment.clear();
  zip.disk = 1;
  CHECK(refusal(zip.file()) ==
        head + "219: the archive is spread over several disks; put it into one file");
}

TEST_CASE("npz: directories that do not fit") {
  ZipBuilder zip;
  zip.add("a.npy", one());
  zip.place().more_entries = 1;
  CHECK(refusal(zip.file()) ==
        head + "215: 2 entries are to be in a directory of 51 bytes; each takes at least 46" +
            again);
  zip.more_entries = -1;
  CHECK(refusal(zip.file()) ==
        head + "164: 51 bytes are left behind the directory's 0 entries; expected none" + again);
  zip.more_entries = 0;
  zip.directory_shift = 1;
  CHECK(refusal(zip.file()) ==
        head +
            "215: the directory is to have 51 bytes from byte 165 on; expected it "
            "to end here; the file has bytes before or behind the archive, write it again");
  zip.directory_shift = 0;
  zip.body[0] = 'x';
  CHECK(refusal(zip.file()) ==
        head + "0: there is no header of the entry 'a.npy'; the directory is wrong" +
            ", write the file again");
  auto file = zip_with([](auto&) {});
  file[164] = 'x';
  CHECK(refusal(file) ==
        head + "164: there is no directory entry, but 1 entries are to be there" + again);
  file = zip_with([](auto&) {});
  file[164 + 28] = '\xff';
  CHECK(refusal(file) ==
        head + "192: a directory entry is to have 255 more bytes, but 5 are left" + again);
}

TEST_CASE("npz: entries that are refused") {
  CHECK(refusal(zip_with([](auto& e) { e.flags = 1; })) ==
        head + "172: the entry is encrypted; write it without a password");
  CHECK(refusal(zip_with([](auto& e) { e.flags = 0x2000; })) ==
        head +
            "172: the entry has the flags 0x2000; expected none but 0x080e; write the file again "
            "with "
            "numpy.savez");
  CHECK(refusal(zip_with([](auto& e) { e.method = 12; })) ==
        head +
            "174: the entry 'a.npy' is packed with method 12; expected 0 (stored) or 8 (deflated); "
            "write "
            "it again with numpy.savez_compressed");
  CHECK(refusal(zip_with([](auto& e) { e.size = 130; })) ==
        head +
            "184: the stored entry 'a.npy' has 129 bytes in the file and is to have 130; expected "
            "the same "
            "number");
  CHECK(refusal(zip_with([](auto& e) { e.name = "b.npy"; })) ==
        head +
            "0: the header of the entry 'b.npy' differs from the directory in name, flags, method, "
            "size "
            "or checksum" +
            again);
  CHECK(refusal(zip_with([](auto& e) { e.name = e.local_name = "readme.txt"; })) ==
        head +
            "0: the entry 'readme.txt' is no .npy; an .npz file holds nothing else; write it again "
            "with "
            "numpy.savez");
  CHECK(refusal(zip_with([](auto& e) { e.checksum ^= 1; })) ==
        "parse_npz: x.npz, entry 'a.npy', byte 129: the checksum is not that of the directory; the "
        "file is "
        "damaged, make it again");
}

TEST_CASE("npz: names that are refused when read") {
  const auto named = [](const std::string& name) {
    return refusal(zip_with([&](auto& e) { e.name = e.local_name = name; }));
  };
  const std::string advice = "; expected a plain name" + again;
  CHECK(named("../a.npy") ==
        head + "0: the name of the entry '../a.npy' leads out of its folder" + advice);
  CHECK(named("/a.npy") ==
        head + "0: the name of the entry '/a.npy' is like an absolute path" + advice);
  CHECK(named(".npy") == head + "0: the name of the entry '.npy' is empty" + advice);
  CHECK(named(std::string("a\0.npy", 6)) ==
        head + "0: the name of the entry 'a\\x00.npy' holds a NUL" + advice);
  CHECK(named("\xFF.npy") == head + "0: the name of the entry '\\xff.npy' is not UTF-8" + advice);
  ZipBuilder twice;
  twice.add("a.npy", one());
  twice.add("a.npy", one());
  CHECK(refusal(twice.place().file()) ==
        head + "164: the entry 'a.npy' comes a second time; expected every name once" + again);
}

TEST_CASE("npz: bombs") {
  CHECK(refusal(zip_with([](auto& e) {
          e.method = 8;
          e.size = 129 * 1032 + 1;
        })) == head +
                   "184: the entry 'a.npy' is to inflate from 129 to 133129 bytes; deflate makes "
                   "at most 1032 "
                   "of one, so this is no honest file");
  // Two entries that share their bytes, and one that holds another.
  ZipBuilder shared;
  shared.add("a.npy", one());
  shared.place().entries.push_back(shared.entries[0]);
  CHECK(refusal(shared.file()) ==
        head +
            "0: the entry 'a.npy' of 129 bytes reaches beyond byte 0, where the "
            "next entry or the directory begins; the file was cut short or is no honest one");
  ZipBuilder inner;
  inner.add("b.npy", one());
  ZipBuilder outer;
  outer.add("a.npy", inner.place().body);
  outer.place().entries.push_back(inner.entries[0]);
  outer.entries[1].header = 35;
  CHECK(refusal(outer.file()) ==
        head +
            "0: the entry 'a.npy' of 164 bytes reaches beyond byte 35, where the "
            "next entry or the directory begins; the file was cut short or is no honest one");
}

TEST_CASE("npz: sizes that lie") {
  // The deflated entry says one byte more, or one less, than it holds.
  const auto real =
      files::text(npz_bytes({{"a", files::array_of<bool>({}, {true})}}, Compression::deflated));
  const auto directory = real.find("PK\1\2");
  REQUIRE(directory != real.npos);
  for (int change : {-1, 1}) {
    auto file = real;
    file[22] = static_cast<char>(file[22] + change);
    file[directory + 24] = static_cast<char>(file[directory + 24] + change);
    CHECK(refusal(file).starts_with("parse_npz: x.npz, entry 'a.npy', byte 128: "));
  }
  auto broken = real;
  broken[60] = static_cast<char>(broken[60] ^ 0x55);
  CHECK(refusal(broken).starts_with("parse_npz: x.npz, entry 'a.npy', byte "));
}

TEST_CASE("npz: an end record inside the data is not taken for the file's") {
  ZipBuilder fake, nested;
  fake.add("a.npy", one());
  const Array numbers{DType::i64, {64}, std::vector<std::byte>(512)};
  auto npy = files::text(npy_bytes(numbers));
  const auto inner = fake.place().file();
  REQUIRE(inner.size() < 512);
  npy.replace(npy.size() - inner.size(), inner.size(), inner);
  nested.add("b.npy", npy);
  const auto read = parse_npz(files::bytes(nested.place().file()), "x.npz");
  REQUIRE(read.size() == 1);
  CHECK(files::text(read[0].array.bytes) == npy.substr(npy.size() - 512));
}

TEST_CASE("npz: zip64") {
  // The sizes in 64 bits, and the end record too, as tools write them for large files.
  ZipBuilder zip;
  auto& entry = zip.add("a.npy", one());
  entry.local_extra = number(1, 2) + number(16, 2) + number(129, 8) + number(129, 8);
  entry.extra = number(1, 2) + number(24, 2) + number(129, 8) + number(129, 8) + number(0, 8);
  entry.packed = entry.size = 0xFFFFFFFF;
  zip.place();
  zip.entries[0].header = 0xFFFFFFFF;
  const auto list = zip.directory();
  const auto end64 = number(0x06064b50, 4) + number(44, 8) + number(45 | 45 << 16, 4) +
                     number(0, 8) + number(1, 8) + number(1, 8) + number(list.size(), 8) +
                     number(zip.body.size(), 8);
  const auto at = zip.body.size() + list.size();
  const auto locator = [&](std::uint64_t to) {
    return number(0x07064b50, 4) + number(0, 4) + number(to, 8) + number(1, 4);
  };
  zip.before_end = end64 + locator(at);
  CHECK(parse_npz(files::bytes(zip.file()), "x.npz").size() == 1);
  zip.before_end = end64 + locator(at + 1);
  CHECK(refusal(zip.file()) ==
        head +
            "327: the zip64 end record is to lie at byte 264; expected it right before its "
            "locator" +
            again);
  zip.before_end = std::string(56, 'x') + locator(at);
  CHECK(refusal(zip.file()) == head + "263: there is no zip64 end record of 56 bytes" + again);
  zip.before_end = end64.substr(0, 32) + number(1ull << 60, 8) + end64.substr(40) + locator(at);
  CHECK(refusal(zip.file()).find("the archive is spread over several disks") != std::string::npos);
  zip.before_end = end64 + locator(at);
  zip.entries[0].extra = number(1, 2) + number(8, 2) + number(129, 8);
  CHECK_THROWS_AS(parse_npz(files::bytes(zip.file()), "x.npz"), FileError);
}

TEST_CASE("npz: every file cut short is refused") {
  for (auto name : {"stored.npz", "deflated.npz", "streamed.npz"}) {
    const auto whole = files::load(files::fixture(name));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      CHECK_THROWS_AS(parse_npz(files::bytes(whole).first(size), name), FileError);
    }
  }
}

}  // namespace maskgrad::tests::test_npz_hostile
