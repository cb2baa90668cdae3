#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/core/io/bytes.hpp>
#include <maskgrad/core/io/decode.hpp>
#include <maskgrad/core/io/name_index.hpp>
#include <maskgrad/core/io/torch/torch_file.hpp>
#include <maskgrad/core/io/zip_write.hpp>

namespace maskgrad::detail {
namespace {

/// A pickle of protocol 2, as torch.save writes one.
class PickleWriter {
 public:
  std::string made = "\x80\x02";

  void text(std::string_view value) {
    made += 'X';
    little(value.size(), 4);
    made += value;
  }
  void integer(std::int64_t value) {
    made += "\x8a\x08";
    little(static_cast<std::uint64_t>(value), 8);
  }
  void global(std::string_view module, std::string_view name) {
    made += fmt::format("c{}\n{}\n", module, name);
  }
  void integers(const std::vector<std::int64_t>& values) {
    made += '(';
    for (auto v : values) integer(v);
    made += 't';
  }
  void ordered_dict() {
    global("collections", "OrderedDict");
    made += ")R";
  }
  void tensor(const Array& array, std::size_t key) {
    global("torch._utils", "_rebuild_tensor_v2");
    made += "((";
    text("storage");
    global("torch", storage_class(array.dtype));
    text(std::to_string(key));
    text("cpu");
    integer(array.size());
    made += "tQ";
    integer(0);
    integers(array.shape);
    integers(strides(array.shape));
    made += "\x89";  // it asks for no gradient
    ordered_dict();
    made += "tR";
  }

 private:
  void little(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) made += static_cast<char>(value >> (8 * i) & 255);
  }
  static std::string_view storage_class(DType type) {
    return type == DType::f32       ? "FloatStorage"
           : type == DType::f64     ? "DoubleStorage"
           : type == DType::boolean ? "BoolStorage"
                                    : "LongStorage";
  }
  static std::vector<std::int64_t> strides(const std::vector<std::int64_t>& shape) {
    std::vector<std::int64_t> made(shape.size(), 1);
    for (std::size_t axis = shape.size(); axis-- > 1;) made[axis - 1] = made[axis] * shape[axis];
    return made;
  }
};

void check_names(std::string_view where, const NamedArrays& arrays) {
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) {
    check_array(where, name, array);
    if (!is_utf8(name)) fail<FileError>(where, "the name {} is not UTF-8", in_quotes(name));
    names.push_back(name);
  }
  if (const auto twice = NameIndex(names).repeated()) {
    fail<FileError>(where, "the name {} comes twice; give every array a name of its own",
                    in_quotes(names[*twice]));
  }
}

void write_parts(std::string_view where, const NamedArrays& arrays,
                 const std::function<void(std::span<const std::byte>)>& sink) {
  check_names(where, arrays);
  PickleWriter pickle;
  pickle.ordered_dict();
  pickle.made += '(';
  std::vector<ZipPart> parts = {{"archive/data.pkl", {}, {}},
                                {"archive/byteorder", as_bytes("little"), {}}};
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    pickle.text(arrays[i].name);
    pickle.tensor(arrays[i].array, i);
    parts.push_back({fmt::format("archive/data/{}", i), arrays[i].array.bytes, {}});
  }
  pickle.made += "u.";
  parts[0].front = as_bytes(pickle.made);
  parts.push_back({"archive/version", as_bytes("3\n"), {}});
  write_zip(where, parts, false, sink);
}

}  // namespace

void write_torch(const std::filesystem::path& path, const NamedArrays& arrays) {
  AtomicFile file(path, "write_torch");
  write_parts("write_torch", arrays, [&](auto bytes) { file.write(bytes); });
  file.commit();
}

std::vector<std::byte> torch_bytes(const NamedArrays& arrays) {
  std::vector<std::byte> made;
  write_parts("torch_bytes", arrays,
              [&](auto bytes) { made.insert(made.end(), bytes.begin(), bytes.end()); });
  return made;
}

}  // namespace maskgrad::detail
