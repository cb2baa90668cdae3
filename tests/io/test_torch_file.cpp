#include <doctest/doctest.h>

#include <maskgrad/core/io/torch/pickle.hpp>
#include <maskgrad/core/io/torch/torch_file.hpp>
#include <maskgrad/core/io/zip_write.hpp>

#include "files.hpp"

// data/*.pt: what PyTorch wrote; see make_torch_archives.py.

namespace maskgrad::tests::test_torch_file {

using namespace maskgrad;

namespace {

const Array* found(const NamedArrays& arrays, std::string_view name) {
  for (const auto& a : arrays) {
    if (a.name == name) return &a.array;
  }
  return nullptr;
}

template <class T>
bool holds(const NamedArrays& arrays, std::string_view name, std::vector<std::int64_t> shape,
           std::initializer_list<T> values) {
  const auto* at = found(arrays, name);
  return at && *at == files::array_of<T>(std::move(shape), values);
}

std::string refusal(std::string_view bytes) {
  return files::message_of([&] { detail::parse_torch(files::bytes(bytes), "x.pt"); });
}

bool refused(std::string_view bytes) {
  return refusal(bytes) != "no error";
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

/// An archive around a pickle, with a storage of 12 bytes.
std::string archive(std::string_view pickle) {
  std::string made;
  const detail::ZipPart parts[] = {
      {"x/data.pkl", files::bytes(pickle), {}},
      {"x/data/0", files::bytes("abcdefghijkl"), {}},
  };
  detail::write_zip("test", parts, false, [&](auto bytes) { made += files::text(bytes); });
  return made;
}

/// A dictionary of the tensor `w`: its storage's elements, then what the text says.
std::string tensor(std::string_view count, std::string_view rest) {
  return "\x80\x02}X\x01" + std::string(3, '\0') + "wctorch._utils\n_rebuild_tensor_v2\n((X\x07" +
         std::string(3, '\0') + "storagectorch\nFloatStorage\nX\x01" + std::string(3, '\0') +
         "0X\x03" + std::string(3, '\0') + "cpu" + std::string(count) + "tQ" + std::string(rest) +
         "\x89NtRs.";
}

}  // namespace

TEST_CASE("torch: elements of each type, in either form of the file") {
  for (const auto* name : {"types.pt", "types_old.pt"}) {
    const auto arrays = detail::read_torch(files::fixture(name));
    CHECK(arrays.size() == 10);
    CHECK(arrays.front().name == "float64");
    CHECK(holds<double>(arrays, "float64", {3}, {0, 1, 2}));
    for (const auto* real : {"float32", "float16", "bfloat16"}) {
      CHECK(holds<float>(arrays, real, {3}, {0, 1, 2}));
    }
    for (const auto* whole : {"int64", "int32", "int16", "int8", "uint8"}) {
      CHECK(holds<std::int64_t>(arrays, whole, {3}, {0, 1, 2}));
    }
    CHECK(holds<bool>(arrays, "bool", {2}, {true, false}));
  }
}

TEST_CASE("torch: views and shared storages are read by their strides") {
  for (const auto* name : {"views.pt", "views_old.pt"}) {
    const auto arrays = detail::read_torch(files::fixture(name));
    CHECK(arrays.size() == 8);
    CHECK(holds<float>(arrays, "whole", {3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
    CHECK(*found(arrays, "again") == *found(arrays, "whole"));
    CHECK(holds<float>(arrays, "columns", {4, 3}, {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
    CHECK(holds<float>(arrays, "inner", {2, 2}, {5, 6, 9, 10}));
    CHECK(holds<float>(arrays, "steps", {2, 2}, {0, 3, 8, 11}));
    CHECK(holds<float>(arrays, "last", {}, {11}));
    CHECK(holds<float>(arrays, "empty", {0, 4}, {}));
    CHECK(holds<float>(arrays, "parameter", {4}, {0, 1, 2, 3}));
  }
}

TEST_CASE("torch: the state dict is found among other things") {
  for (const auto* name : {"checkpoint.pt", "checkpoint_5.pt"}) {
    const auto arrays = detail::read_torch(files::fixture(name));
    CHECK(arrays.size() == 2);
    CHECK(holds<float>(arrays, "weight", {1, 2}, {1, 2}));
    CHECK(holds<float>(arrays, "bias", {1}, {3}));
  }
  const auto several = detail::read_torch(files::fixture("several.pt"));
  CHECK(several.size() == 18);
  CHECK(holds<float>(several, "decoder.inner.inner", {2, 2}, {5, 6, 9, 10}));
  CHECK(holds<double>(several, "encoder.float64", {3}, {0, 1, 2}));
}

TEST_CASE("torch: what is no state dict is refused by name, and nothing is run") {
  const auto says = [](std::string_view name) {
    return files::message_of([&] { detail::read_torch(files::fixture(name)); });
  };
  CHECK(contains(says("refused_module.pt"), "names 'torch.nn.modules.linear'.'Linear'"));
  CHECK(contains(says("refused_module.pt"), "torch.save(model.state_dict(), path)"));
  CHECK(contains(says("refused_call.pt"), "names '__builtin__'.'print'"));
  CHECK(contains(says("refused_complex.pt"), "'ComplexFloatStorage'"));
  CHECK(contains(says("refused_expanded.pt"), "'weight' has more elements than its storage"));
  CHECK(contains(says("refused_tensor.pt"), "no dictionary of tensors"));
}

TEST_CASE("torch: what is written is read") {
  for (const auto* name : {"types.pt", "views.pt", "several.pt"}) {
    const auto arrays = detail::read_torch(files::fixture(name));
    CHECK(detail::parse_torch(detail::torch_bytes(arrays), "again.pt") == arrays);
  }
  CHECK(contains(refusal(files::text(detail::torch_bytes({}))), "no dictionary of tensors"));
  const NamedArrays twice = {{"a", files::array_of<float>({}, {1})},
                             {"a", files::array_of<float>({}, {2})}};
  CHECK(contains(files::message_of([&] { detail::torch_bytes(twice); }), "'a' comes twice"));
}

TEST_CASE("torch: files that were cut or changed are read or refused") {
  for (const auto* name : {"types_old.pt", "views.pt", "checkpoint_5.pt"}) {
    const auto whole = files::load(files::fixture(name));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CHECK(refused(whole.substr(0, size)));
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const char flip : {'\x01', '\x20', '\x80', '\xff'}) {
        auto changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ flip);
        try {
          detail::parse_torch(files::bytes(changed), "x.pt");
        } catch (const FileError&) {
        }
      }
    }
  }
}

TEST_CASE("torch: tensors that leave their storage are refused") {
  CHECK_FALSE(refused(archive(tensor("K\x03", "K\x01K\x02\x85K\x01\x85"))));
  for (const auto* rest :
       {"K\x02K\x02\x85K\x01\x85", "K\x01K\x02\x85K\x02\x85", "K\x01K\x02\x85J\xff\xff\xff\xff\x85",
        "K\x01K\x02\x85\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85",
        "J\xff\xff\xff\xffK\x02\x85K\x01\x85"}) {
    CHECK(refused(archive(tensor("K\x03", rest))));
  }
  CHECK(contains(refusal(archive(tensor("K\x04", "K\x01K\x02\x85K\x01\x85"))), "has 12 bytes"));
  CHECK(contains(refusal(archive(tensor("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
                                        "K\x01K\x02\x85K\x01\x85"))),
                 "has 12 bytes"));
  CHECK(contains(refusal(archive(tensor("K\x03", "K\x01K\x02\x85NK\x01\x86"))),
                 "not made of a storage, an offset, a shape and strides"));
}

TEST_CASE("torch: dictionaries in themselves and again and again are refused") {
  const auto key = "X\x01" + std::string(3, '\0') + "k";
  CHECK(contains(refusal(archive("\x80\x02}q" + std::string(1, '\0') + key + "h" +
                                 std::string(1, '\0') + "s.")),
                 "64 deep"));
  std::string pickle = "\x80\x02}q" + std::string(1, '\0');
  for (char level = 1; level < 40; ++level) {  // each holds the one before twice
    pickle += "}q" + std::string(1, level) + "(";
    for (const char* name : {"a", "b"}) {
      pickle += "X\x01" + std::string(3, '\0') + name + "h" + std::string(1, level - 1);
    }
    pickle += "u";
  }
  CHECK(contains(refusal(archive(pickle + ".")), "again and again"));
}

TEST_CASE("torch: pickles that are none are refused") {
  for (const std::string_view wrong : {"",
                                       ".",
                                       "\x80\x01.",
                                       "\x80\x06.",
                                       "0.",
                                       "t.",
                                       "h\x05.",
                                       "r\xff\xff\xff\xff.",
                                       "a.",
                                       "N.",
                                       "R.",
                                       "NNR.",
                                       "Q.",
                                       "Nb.",
                                       "NNs.",
                                       "}Na.",
                                       "X\xff\xff\xff\xff",
                                       "cos\nsystem\n.",
                                       "c",
                                       "\x93.",
                                       "P0\n.",
                                       "i",
                                       "\x81.",
                                       "\x92.",
                                       "\x97.",
                                       "]\x93.",
                                       "\x8a\xff",
                                       "\x8b\xff\xff\xff\xff"}) {
    CHECK(refused(archive(wrong)));
  }
  CHECK(contains(refusal(archive("\x80\x04\x8c\x02os\x8c\x06system\x93.")), "names 'os'.'system'"));
}

TEST_CASE("torch: kinds of files are told by their bytes") {
  const auto kind = [](std::string_view name) {
    return detail::weights_kind(files::fixture(name), "test");
  };
  CHECK(kind("types.pt") == detail::WeightsKind::torch);
  CHECK(kind("types_old.pt") == detail::WeightsKind::torch);
  CHECK(kind("stored.npz") == detail::WeightsKind::npz);
  CHECK(kind("nothing.npz") == detail::WeightsKind::npz);
  CHECK(kind("all.safetensors") == detail::WeightsKind::safetensors);
  CHECK(kind("f4.npy") == detail::WeightsKind::unknown);
}

}  // namespace maskgrad::tests::test_torch_file
