#include <maskgrad/optim/train/checkpoint.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view in_checkpoint = "checkpoint";
constexpr std::string_view prefix = "checkpoint-", ending = ".safetensors";
constexpr const char* state_key = "maskgrad_checkpoint";

/// The step that a file is of by its name.
std::optional<std::int64_t> step_of(const fs::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(prefix) || !name.ends_with(ending)) return {};
  const char* first = name.data() + prefix.size();
  const char* last = name.data() + name.size() - ending.size();
  std::int64_t step = 0;
  const auto read = std::from_chars(first, last, step);
  if (first == last || read.ec != std::errc() || read.ptr != last) return {};
  return step;
}

}  // namespace

CheckpointFolder::CheckpointFolder(const CheckpointOptions& options) : options_(options) {
  const auto count = [](std::string_view name, std::int64_t value, double least) {
    check::option(in_checkpoint, name, static_cast<double>(value), least, INFINITY);
  };
  count("every_epochs", options.every_epochs, 0);
  count("every_steps", options.every_steps, 0);
  count("keep", options.keep, 1);
}

std::vector<std::pair<std::int64_t, fs::path>> CheckpointFolder::list() const {
  std::vector<std::pair<std::int64_t, fs::path>> all;
  std::error_code error;
  fs::directory_iterator files(options_.folder, error);
  if (error && error != std::errc::no_such_file_or_directory) {
    fail<FileError>(in_checkpoint, "the folder {} cannot be read ({}); give the path of a folder",
                    options_.folder.string(), error.message());
  }
  for (; !error && files != fs::directory_iterator(); files.increment(error)) {
    if (const auto step = step_of(files->path())) all.emplace_back(*step, files->path());
  }
  std::sort(all.begin(), all.end());
  return all;
}

fs::path CheckpointFolder::write(std::int64_t step, const NamedArrays& arrays,
                                 const std::string& state) {
  make_folders(options_.folder, in_checkpoint);
  const auto path = options_.folder / fmt::format("{}{:09}{}", prefix, step, ending);
  write_safetensors(path, arrays, {{state_key, state}}, Checksum::crc32);
  std::erase(bad_, path);
  prune(step);
  return path;
}

void CheckpointFolder::prune(std::int64_t newest_step) {
  auto good = list();
  std::erase_if(good, [&](const auto& entry) {
    return entry.first > newest_step ||
           std::find(bad_.begin(), bad_.end(), entry.second) != bad_.end();
  });
  const auto extra = static_cast<std::int64_t>(good.size()) - options_.keep;
  for (std::int64_t i = 0; i < extra; ++i) {
    std::error_code ignored;  // one that stays costs room, and nothing else
    fs::remove(good[static_cast<std::size_t>(i)].second, ignored);
  }
}

std::optional<CheckpointFolder::Found> CheckpointFolder::newest(
    const std::function<void(const Found&)>& accept, std::vector<std::string>& notes) {
  remove_left_behind(options_.folder);
  const auto all = list();
  std::string reasons;
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    try {
      detail::SafetensorsReader reader(at->second);
      reader.verify();
      const auto state = reader.metadata().find(state_key);
      if (state == reader.metadata().end()) {
        fail<FileError>(in_checkpoint, "{} is no checkpoint: its metadata has no '{}'",
                        at->second.string(), state_key);
      }
      Found found{at->second, reader.read_all(), state->second};
      accept(found);
      return found;
    } catch (const FileError& error) {
      bad_.push_back(at->second);
      reasons += fmt::format("\n  {}", error.what());
      notes.push_back(
          fmt::format("passed over a checkpoint that cannot be used: {}", error.what()));
    }
  }
  if (all.empty()) return {};
  fail<FileError>(in_checkpoint,
                  "none of the {} in {} can be used; move them away to begin anew, or give another "
                  "folder{}",
                  all.size(), options_.folder.string(), reasons);
}

void CheckpointFolder::refuse_used() const {
  const auto all = list();
  if (all.empty()) return;
  fail<FileError>(
      in_checkpoint,
      "the folder {} has {} of an earlier run, the newest {}; set .resume to go on from "
      "it, or give another folder",
      options_.folder.string(), all.size(), all.back().second.filename().string());
}

}  // namespace maskgrad
