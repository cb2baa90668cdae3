#include <maskgrad/layers/onnx/load.hpp>

#include <fmt/format.h>

#include <cstring>
#include <limits>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/core/io/byte_source.hpp>
#include <maskgrad/layers/onnx/loading.hpp>
#include <maskgrad/layers/onnx/notes.hpp>

namespace maskgrad {
namespace onnx {

void File::refuse(const std::vector<std::string>& troubles) const {
  std::string text;
  constexpr std::size_t most = 100;
  for (std::size_t i = 0; i < std::min(troubles.size(), most); ++i) text += "\n  " + troubles[i];
  if (troubles.size() > most) text += fmt::format("\n  and {} more", troubles.size() - most);
  fail<FileError>("load_onnx", "{} cannot be loaded:{}", path, text);
}

std::int64_t count_of(const std::vector<std::int64_t>& dims) {
  std::int64_t count = 1;
  for (const auto size : dims) {
    if (size < 0 || (size > 0 && count > std::numeric_limits<std::int64_t>::max() / size))
      return -1;
    count *= size;
  }
  return count;
}

std::vector<double> reals_of(const TensorData& data, std::vector<std::string>& troubles) {
  const bool wide = data.type == static_cast<int>(Type::f64);
  if (!wide && data.type != static_cast<int>(Type::f32)) {
    troubles.push_back(
        fmt::format("the weight '{}' is of the ONNX type {}; expected 1 (float) or "
                    "11 (double)",
                    data.name, data.type));
    return {};
  }
  const std::size_t width = wide ? 8 : 4;
  const auto count = count_of(data.dims);
  if (count < 0 || data.raw.size() / width != static_cast<std::size_t>(count) ||
      data.raw.size() % width != 0) {
    troubles.push_back(fmt::format("the weight '{}' is [{}] and has {} bytes", data.name,
                                   fmt::join(data.dims, ", "), data.raw.size()));
    return {};
  }
  std::vector<double> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (wide) {
      std::memcpy(&values[i], data.raw.data() + 8 * i, 8);
    } else {
      float value = 0;
      std::memcpy(&value, data.raw.data() + 4 * i, 4);
      values[i] = static_cast<double>(value);
    }
  }
  return values;
}

}  // namespace onnx

AnyLayer load_onnx(const std::filesystem::path& path, const LoadOnnxOptions& options) {
  constexpr std::uint64_t most = std::uint64_t{1} << 31;
  const JsonLimitsScope limits(options.limits);
  const NoiseScope noise;  // a training that loads another model goes on as it was
  const detail::ByteSource source(path, "load_onnx");
  if (source.size() > most) {
    fail<FileError>("load_onnx", "{} has {} bytes; an ONNX file has at most 2 GiB", path.string(),
                    source.size());
  }
  onnx::File file{path.string(), {}};
  std::vector<std::string> external;
  {
    std::string bytes(source.size(), '\0');
    source.read_at(0, std::as_writable_bytes(std::span(bytes)));
    file.model = onnx::decode(bytes, file.path, external);
  }
  for (auto& name : external) {
    name = fmt::format(
        "the weight '{}' is in another file, which is not opened; write the model "
        "as one file",
        name);
  }
  if (!external.empty()) file.refuse(external);
  return onnx::is_own(file) ? onnx::load_own(file) : onnx::load_foreign(file);
}

}  // namespace maskgrad
