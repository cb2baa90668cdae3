#include <maskgrad/optim/train/metrics_file.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <system_error>

#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/core/io/json.hpp>
#include <maskgrad/core/quoted.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view in_metrics_file = "metrics_file";

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// The columns of a record.
std::string header(const EpochRecord& record) {
  std::string text = "epoch,steps,skipped,rows,padding";
  for (const auto& entry : record.logs.values()) text += "," + csv_field(entry.first);
  return text + "\n";
}

void make_folder_of(const std::filesystem::path& path) {
  std::error_code ignored;  // opening the file says what is wrong
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
}

}  // namespace

MetricsFile::MetricsFile(std::filesystem::path path)
    : path_(std::move(path)), csv_(path_.extension() == ".csv") {
  if (csv_ || path_.extension() == ".jsonl") return;
  fail<OptionError>(in_metrics_file, "'{}' ends in '{}'; expected .csv or .jsonl", path_.string(),
                    path_.extension().string());
}

std::string MetricsFile::line(const EpochRecord& r) const {
  if (csv_) {
    auto text = fmt::format("{},{},{},{},{}", r.epoch, r.steps, r.skipped, r.rows, r.padding);
    for (const auto& entry : r.logs.values()) {
      text += std::isfinite(entry.second) ? fmt::format(",{}", entry.second) : ",";
    }
    return text + "\n";
  }
  detail::Json json{{"epoch", r.epoch},
                    {"steps", r.steps},
                    {"skipped", r.skipped},
                    {"rows", r.rows},
                    {"padding", r.padding}};
  for (const auto& entry : r.logs.values()) json[entry.first] = entry.second;  // nan becomes null
  return detail::json_text(json) + "\n";
}

std::string MetricsFile::begin(const std::vector<EpochRecord>& epochs) {
  if (csv_ && !epochs.empty()) header_ = header(epochs.front());
  kept_.clear();
  for (const auto& record : epochs) kept_ += line(record);
  make_folder_of(path_);
  try {
    write_file(path_, bytes(header_ + kept_), in_metrics_file);
    kept_.clear();
    begun_ = true;
    return {};
  } catch (const FileError& error) {
    return error.what();
  }
}

int MetricsFile::append() {
  make_folder_of(path_);
  // Without waiting for somebody who reads, where it is a pipe.
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const int file = ::open(path_.c_str(), flags, 0666);
  if (file < 0) return errno;
  struct stat now {};
  int error = ::fstat(file, &now) == 0 ? 0 : errno;
  if (error == 0 && !S_ISREG(now.st_mode)) error = EINVAL;
  if (error == 0 && !begun_) {  // what an older run left there could not be replaced
    error = ::ftruncate(file, now.st_size = 0) == 0 ? 0 : errno;
  }
  if (error == 0) {
    error = write_all(file, bytes((now.st_size == 0 ? header_ : "") + kept_));
    // Half a line is no line. Where even that fails there is nothing more to be done.
    if (error != 0 && ::ftruncate(file, now.st_size) != 0) error = errno;
  }
  begun_ = begun_ || error == 0;
  if (::close(file) != 0 && error == 0 && errno != EINTR) error = errno;
  return error;
}

std::string MetricsFile::add(const EpochRecord& record) {
  if (csv_ && header_.empty()) header_ = header(record);
  kept_ += line(record);
  const int error = append();
  if (error == 0) {
    kept_.clear();
    return {};
  }
  return fmt::format("{}: {} cannot be written ({}); its lines are kept until it can be: {}",
                     in_metrics_file, in_quotes(path_.string(), 300),
                     error == EINVAL || error == ENXIO ? "it is no file, but a pipe or a device"
                                                       : std::system_category().message(error),
                     "make room, or get the right to write a file of that name there");
}

}  // namespace maskgrad::detail
