#include <maskgrad/optim/data/array_file.hpp>

#include <algorithm>
#include <utility>

#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/io/safetensors.hpp>

namespace maskgrad::data {
namespace {

namespace fs = std::filesystem;

class Npz final : public ArrayFile {
 public:
  explicit Npz(const fs::path& path) : reader_(path) {}
  std::vector<std::string> names() const override { return reader_.names(); }
  detail::ArrayRows rows(const std::string& name) const override { return reader_.rows(name); }
  std::vector<std::string> texts(const std::string& name) const override {
    return reader_.texts(name);
  }
  void verify(const std::string& name) const override { reader_.verify(name); }

 private:
  NpzReader reader_;
};

class SafetensorsFile final : public ArrayFile {
 public:
  explicit SafetensorsFile(const fs::path& path) : reader_(path) {}
  std::vector<std::string> names() const override { return reader_.names(); }
  detail::ArrayRows rows(const std::string& name) const override { return reader_.rows(name); }
  /// The format has none.
  std::vector<std::string> texts(const std::string&) const override { return {}; }
  void verify(const std::string&) const override {
    if (!std::exchange(verified_, true)) reader_.verify();
  }

 private:
  detail::SafetensorsReader reader_;
  mutable bool verified_ = false;  // its checksum is that of the whole file
};

/// x.npy is `values`, x_NAME.npy is NAME.
class NpyFiles final : public ArrayFile {
 public:
  explicit NpyFiles(fs::path path) : path_(std::move(path)) { detail::npy_rows(path_); }

  std::vector<std::string> names() const override {
    const auto front = path_.stem().string() + "_";
    std::vector<std::string> found{"values"};
    const auto folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
    std::error_code closed;  // a folder that does not list its files
    for (const auto& entry : fs::directory_iterator(folder, closed)) {
      const auto stem = entry.path().stem().string();
      if (entry.path().extension() == ".npy" && stem.starts_with(front)) {
        found.push_back(stem.substr(front.size()));
      }
    }
    std::sort(found.begin() + 1, found.end());
    return found;
  }
  bool contains(const std::string& name) const override {
    std::error_code unknown;
    return fs::exists(path_of(name), unknown);
  }
  detail::ArrayRows rows(const std::string& name) const override {
    return detail::npy_rows(path_of(name));
  }
  std::vector<std::string> texts(const std::string& name) const override {
    return detail::npy_texts(path_of(name));
  }

 private:
  fs::path path_of(const std::string& name) const {
    if (name == "values") return path_;
    return path_.parent_path() / (path_.stem().string() + "_" + name + ".npy");
  }
  fs::path path_;
};

}  // namespace

bool ArrayFile::contains(const std::string& name) const {
  const auto all = names();
  return std::find(all.begin(), all.end(), name) != all.end();
}

std::vector<std::string> ArrayFile::classes() const {
  const std::string name = "classes";
  return contains(name) && holds_texts(name) ? texts(name) : std::vector<std::string>();
}

bool ArrayFile::holds_texts(const std::string& name) const {
  try {
    rows(name);
    return false;
  } catch (const FileError&) {
    return true;
  }
}

std::unique_ptr<ArrayFile> open_array_file(const fs::path& path, ReadOptions& options) {
  const auto ending = path.extension();
  if (ending == ".npz") return std::make_unique<Npz>(path);
  if (ending == ".safetensors") return std::make_unique<SafetensorsFile>(path);
  if (ending == ".npy") return std::make_unique<NpyFiles>(path);
  if (ending == ".csv") return open_csv(path, options);
  fail<FileError>("read_dataset",
                  "{} ends in '{}'; expected .npz, .npy, .safetensors or .csv; rename it, or use "
                  "Dataset::from_memory or Dataset::from_callback",
                  path.string(), ending.string());
}

}  // namespace maskgrad::data
