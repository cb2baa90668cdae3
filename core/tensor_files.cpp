#include <maskgrad/core/tensor_files.hpp>

#include <fmt/format.h>

#include <maskgrad/core/io/npy.hpp>
#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad {
namespace {

Tensor tensor_from(std::string_view where, const std::string& file, const Array& array) {
  if (array.shape.size() > Shape::max_rank) {
    fail<ShapeError>(where, "{} has {} axes; tensors have at most {}", file, array.shape.size(),
                     Shape::max_rank);
  }
  return extend::dispatch(array.dtype,
                          [&]<class T>() { return tensor(array.values<T>(), Shape(array.shape)); });
}

Array array_from(std::string_view where, const std::string& file, const Tensor& x) {
  if (!x.defined() || x.is_meta()) {
    fail<StateError>(where, "{}: got {}, which has no data", file, x.describe());
  }
  if (x.has_mask()) {
    fail<MaskError>(where,
                    "{}: got {}, and the file has no masks; say what stands for padding, "
                    "x.drop_mask(\"why\", fill), and write x.mask() beside it where it is needed",
                    file, x.describe());
  }
  return extend::dispatch(x.dtype(), [&]<class T>() {
    return Array::of<T>({x.shape().begin(), x.shape().end()}, rows::of<T>(x));
  });
}

}  // namespace

Tensor load_npy(const std::filesystem::path& path) {
  return tensor_from("load_npy", path.string(), read_npy(path));
}

void save_npy(const std::filesystem::path& path, const Tensor& x) {
  write_npy(path, array_from("save_npy", path.string(), x));
}

std::map<std::string, Tensor> load_npz(const std::filesystem::path& path) {
  std::map<std::string, Tensor> made;
  for (const auto& [name, array] : read_npz(path)) {
    made[name] = tensor_from("load_npz", fmt::format("{}, '{}'", path.string(), name), array);
  }
  return made;
}

void save_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors) {
  NamedArrays arrays;
  for (const auto& [name, x] : tensors) {
    arrays.push_back(
        {name, array_from("save_npz", fmt::format("{}, '{}'", path.string(), name), x)});
  }
  write_npz(path, arrays);
}

}  // namespace maskgrad
