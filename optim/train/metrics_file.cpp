#include <maskgrad/optim/train/metrics_file.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>

#include <maskgrad/core/io/atomic_file.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view where = "metrics_file";

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// The columns of a record.
std::string header(const EpochRecord& record) {
  std::string text = "epoch,steps,skipped,rows,padding";
  for (const auto& entry : record.logs.values()) text += "," + entry.first;
  return text + "\n";
}

}  // namespace

MetricsFile::MetricsFile(std::filesystem::path path)
    : path_(std::move(path)), csv_(path_.extension() == ".csv") {
  if (csv_ || path_.extension() == ".jsonl") return;
  fail<OptionError>(where, "'{}' ends in '{}'; expected .csv or .jsonl", path_.string(),
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
  nlohmann::ordered_json json{{"epoch", r.epoch},
                              {"steps", r.steps},
                              {"skipped", r.skipped},
                              {"rows", r.rows},
                              {"padding", r.padding}};
  for (const auto& entry : r.logs.values()) json[entry.first] = entry.second;  // nan becomes null
  return json.dump() + "\n";
}

void MetricsFile::begin(const std::vector<EpochRecord>& epochs) {
  std::string text;
  header_ = csv_ && !epochs.empty();
  if (header_) text = header(epochs.front());
  for (const auto& record : epochs) text += line(record);
  write_file(path_, bytes(text), where);
}

void MetricsFile::add(const EpochRecord& record) {
  std::string text = line(record);
  if (csv_ && !header_) text = header(record) + text;
  header_ = true;
  const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  int error = file < 0 ? errno : write_all(file, bytes(text));
  if (file >= 0 && ::close(file) != 0 && error == 0 && errno != EINTR) error = errno;
  if (error == 0) return;
  fail<FileError>(where, "{} cannot be written ({}); make room or get the right to write there",
                  path_.string(), std::system_category().message(error));
}

}  // namespace maskgrad::detail
