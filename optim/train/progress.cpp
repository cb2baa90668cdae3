#include <maskgrad/optim/train/progress.hpp>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace maskgrad::detail {
namespace {

/// A piece of a line; those of the highest rank are left out first.
struct Piece {
  std::string text;
  int rank = 0;
};

std::string joined(const std::vector<Piece>& pieces) {
  std::string line;
  for (const auto& p : pieces) line += line.empty() ? p.text : "  " + p.text;
  return line;
}

/// The pieces in their order, without those that there is no room for. All are ASCII.
std::string fitted(std::vector<Piece> pieces, int width) {
  while (width > 0 && static_cast<int>(joined(pieces).size()) > width && pieces.size() > 1) {
    const auto last =
        std::max_element(pieces.rbegin(), pieces.rend(),
                         [](const Piece& a, const Piece& b) { return a.rank < b.rank; });
    pieces.erase(std::next(last).base());
  }
  std::string line = joined(pieces);
  if (width > 0) line.resize(std::min(line.size(), static_cast<std::size_t>(width)));
  return line;
}

std::string value_text(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.4g}", value);
}

std::string percent(double share) {
  return fmt::format("{:.0f}%", 100 * share);
}

/// What a line shows by itself, not as a value of its name.
bool is_shown_apart(std::string_view name) {
  return name == "rows_per_second" || name == "padding_skipped" || name == "seconds" ||
         name == "learning_rate";
}

/// loss and val_loss matter most, then the metrics in their order.
void add_values(std::vector<Piece>& pieces, const Logs& logs) {
  int rank = 3;
  for (const auto& [name, value] : logs.values()) {
    if (is_shown_apart(name)) continue;
    const bool loss = name == "loss" || name == "val_loss";
    pieces.push_back({fmt::format("{} {}", name, value_text(value)), loss ? 1 : rank++});
  }
}

constexpr int bar_cells = 10;

std::string bar(std::int64_t done, std::int64_t all) {
  const auto cells = all > 0 ? bar_cells * done / all : bar_cells;
  std::string text(static_cast<std::size_t>(cells), '=');
  if (cells < bar_cells) text += '>';
  text.resize(bar_cells, '.');
  return "[" + text + "]";
}

}  // namespace

std::string short_number(double value) {
  if (!(std::abs(value) >= 999.5)) return fmt::format("{:.0f}", value);
  const bool millions = std::abs(value) >= 999.5e3;
  value /= millions ? 1e6 : 1e3;
  const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", value, digits, millions ? "M" : "k");
}

std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(std::clamp(seconds, 0.0, 3.6e9)));
  const auto h = whole / 3600, m = whole / 60 % 60, s = whole % 60;
  return h > 0 ? fmt::format("{}:{:02}:{:02}", h, m, s) : fmt::format("{}:{:02}", m, s);
}

std::string bar_line(const BarPosition& at, const Logs& logs, int width) {
  std::vector<Piece> pieces{{fmt::format("epoch {}/{}", at.epoch, at.epochs), 0},
                            {bar(at.batch, at.batches), 60}};
  add_values(pieces, logs);
  pieces.push_back({short_number(at.rows_per_second) + " rows/s", 50});
  pieces.push_back({percent(at.padding_skipped) + " padding", 55});
  if (at.seconds_left >= 0) pieces.push_back({duration(at.seconds_left) + " left", 2});
  return fitted(std::move(pieces), width);
}

std::string epoch_line(const EpochRecord& record, std::int64_t epochs, int width) {
  const auto number = [&](const char* name) { return record.logs.find(name).value_or(0); };
  std::vector<Piece> pieces{{fmt::format("epoch {}/{}", record.epoch, epochs), 0}};
  add_values(pieces, record.logs);
  pieces.push_back({"rate " + value_text(number("learning_rate")), 60});
  pieces.push_back(
      {short_number(number("rows_per_second")) + (width > 0 ? " rows/s" : " valid rows/s"), 50});
  pieces.push_back(
      {percent(number("padding_skipped")) + (width > 0 ? " padding" : " padding skipped"), 55});
  if (record.skipped > 0) {
    pieces.push_back({fmt::format("{} steps of nothing valid", record.skipped), 40});
  }
  pieces.push_back({fmt::format("{:.1f} s", number("seconds")), 45});
  return fitted(std::move(pieces), width);
}

ProgressPrinter::ProgressPrinter(Progress how, std::FILE* out, std::int64_t epochs)
    : how_(how), out_(out), epochs_(epochs) {
  if (how_ == Progress::automatic) {
    how_ = ::isatty(::fileno(out_)) ? Progress::bar : Progress::lines;
  }
}

ProgressPrinter::~ProgressPrinter() {
  clear();
}

int ProgressPrinter::width() const {
  struct winsize size {};
  const bool known = ::ioctl(::fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return std::max(20, (known ? size.ws_col : 80) - 1);  // a full last column would wrap
}

void ProgressPrinter::clear() {
  if (!drawn_) return;
  std::fputs("\r\033[K", out_);
  std::fflush(out_);
  drawn_ = false;
}

bool ProgressPrinter::due() const {
  return how_ == Progress::bar &&
         std::chrono::steady_clock::now() - last_ > std::chrono::milliseconds(100);
}

void ProgressPrinter::step(const BarPosition& at, const Logs& logs) {
  fmt::print(out_, "\r{}\033[K", bar_line(at, logs, width()));
  std::fflush(out_);
  drawn_ = true;
  last_ = std::chrono::steady_clock::now();
}

void ProgressPrinter::epoch(const EpochRecord& record) {
  if (how_ == Progress::off) return;
  clear();
  fmt::print(out_, "{}\n", epoch_line(record, epochs_, how_ == Progress::bar ? width() : 0));
  std::fflush(out_);
}

void ProgressPrinter::say(std::string_view text, bool warning) {
  if (how_ == Progress::off && !warning) return;
  clear();
  std::FILE* out = how_ == Progress::off ? stderr : out_;
  fmt::print(out, "{}\n", text);
  std::fflush(out);
}

}  // namespace maskgrad::detail
