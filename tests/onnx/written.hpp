#pragma once

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <maskgrad/maskgrad.hpp>

/// What models are given and must give, as check.py and run.js read it.
namespace maskgrad::tests::written {

inline constexpr std::int64_t batch = 4, time = 5;

/// How an input is masked.
enum class Pattern { none, full, ragged, empty, holes, samples, values };
inline constexpr const char* pattern_names[] = {
    "no mask", "full", "ragged", "empty and one step", "holes", "samples", "values"};

class Files {
 public:
  explicit Files(const std::filesystem::path& folder)
      : folder_(folder), data_(folder / "data.bin", std::ios::binary) {}

  template <class T>
  std::string put(const std::string& name, const char* type, const std::vector<std::int64_t>& dims,
                  const std::vector<T>& values) {
    const auto at = at_;
    std::vector<char> bytes(values.size() * sizeof(T));
    if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    data_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    at_ += bytes.size();
    const std::size_t over = at_ % 8 == 0 ? 0 : 8 - at_ % 8;
    data_.write("\0\0\0\0\0\0\0", static_cast<std::streamsize>(over));
    at_ += over;
    return fmt::format(R"({{"name":"{}","type":"{}","dims":[{}],"at":{}}})", name, type,
                       fmt::join(dims, ","), at);
  }
  void add(const std::string& title, const std::string& file,
           const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
    cases_ += fmt::format(R"({}{{"title":"{}","file":"{}","inputs":[{}],"outputs":[{}]}})",
                          cases_.empty() ? "" : ",\n", title, file, fmt::join(inputs, ","),
                          fmt::join(outputs, ","));
  }
  void end() { std::ofstream(folder_ / "cases.json") << "[" << cases_ << "]\n"; }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  std::ofstream data_;
  std::size_t at_ = 0;
  std::string cases_;
};

std::vector<std::int64_t> dims_of(const Shape& shape);
/// The free sizes as batch and time.
Shape with_sizes(const Shape& shape);
/// Which steps of [batch, time] are valid; of the second input at least as many as of the first.
std::vector<bool> valid_steps(Pattern pattern, std::size_t which);

/// One input as a tensor under its mask, and as an ONNX file gets it, with garbage as padding.
struct Input {
  Tensor value;
  std::vector<std::string> written;
};

Input input_of(Files& files, const Spec& spec, const std::string& name, Pattern pattern,
               std::size_t which, bool padding_is_last);
std::vector<std::string> written_outputs(Files& files, const Tensors& outputs);

}  // namespace maskgrad::tests::written
