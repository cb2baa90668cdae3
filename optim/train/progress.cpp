#include <maskgrad/optim/train/progress.hpp>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/core/quoted.hpp>

namespace maskgrad::detail {
namespace {

/// A piece of a line, and what it says where room is short; those of the highest rank are left out
/// first.
struct Piece {
  std::string text;
  int rank = 0;
  std::string brief = {};
};

std::string joined(const std::vector<Piece>& pieces, std::string_view gap, bool brief) {
  std::string line;
  for (const auto& p : pieces) {
    if (!line.empty()) line += gap;
    line += brief && !p.brief.empty() ? p.brief : p.text;
  }
  return line;
}

/// The pieces in their order; where there is no room for them closer, then brief, then fewer.
std::string fitted(std::vector<Piece> pieces, int width) {
  const auto fits = [width](const std::string& line) {
    return width == 0 || static_cast<int>(line.size()) <= width;
  };
  for (const std::string_view gap : {"  ", " "}) {
    auto line = joined(pieces, gap, false);
    if (fits(line)) return line;
  }
  auto line = joined(pieces, " ", true);
  while (!fits(line) && pieces.size() > 1) {
    const auto last =
        std::max_element(pieces.rbegin(), pieces.rend(),
                         [](const Piece& a, const Piece& b) { return a.rank < b.rank; });
    pieces.erase(std::next(last).base());
    line = joined(pieces, " ", true);
  }
  if (!fits(line)) line.resize(static_cast<std::size_t>(width));
  while (!is_utf8(line)) line.pop_back();  // half a character
  return line;
}

std::string value_text(double value) {
  if (std::isnan(value)) return "-";
  return std::abs(value) < 999.95 ? fmt::format("{:#.4g}", value) : fmt::format("{:.4g}", value);
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
    pieces.push_back(
        {fmt::format("{} {}", printable(name, 40), value_text(value)), loss ? 1 : rank++});
  }
}

std::string bar(std::int64_t done, std::int64_t all, std::size_t width) {
  const auto cells = static_cast<std::size_t>(static_cast<std::int64_t>(width) * done / all);
  std::string text(cells, '=');
  if (cells < width) text += '>';
  text.resize(width, '.');
  return "[" + text + "]";
}

/// `epoch  3/20`, as wide for each epoch.
std::string epoch_text(std::int64_t epoch, std::int64_t epochs) {
  const auto all = std::to_string(epochs);
  return fmt::format("epoch {:>{}}/{}", epoch, all.size(), all);
}

/// What it costs: valid rows a second, and the share of padding that cost nothing.
void add_costs(std::vector<Piece>& pieces, double rows_per_second, double padding_skipped) {
  const auto rows = short_number(rows_per_second);
  const auto padding = fmt::format("{:.0f}%", 100 * padding_skipped);
  pieces.push_back({rows + " valid rows/s", 50, rows + " rows/s"});
  pieces.push_back({padding + " padding skipped", 55, padding + " pad"});
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
  const auto batches = std::max<std::int64_t>(1, at.batches);
  std::vector<Piece> pieces{{epoch_text(at.epoch, at.epochs), 0},
                            {bar(at.batch, batches, 10), 60, bar(at.batch, batches, 5)}};
  add_values(pieces, logs);
  add_costs(pieces, at.rows_per_second, at.padding_skipped);
  if (at.seconds_left >= 0) pieces.push_back({duration(at.seconds_left) + " left", 2});
  return fitted(std::move(pieces), width);
}

std::string epoch_line(const EpochRecord& record, std::int64_t epochs, int width) {
  const auto number = [&](const char* name) { return record.logs.find(name).value_or(0); };
  std::vector<Piece> pieces{{epoch_text(record.epoch, epochs), 0}};
  add_values(pieces, record.logs);
  pieces.push_back({fmt::format("rate {:.4g}", number("learning_rate")), 60});
  add_costs(pieces, number("rows_per_second"), number("padding_skipped"));
  if (record.skipped > 0) {
    pieces.push_back({fmt::format("{} steps of nothing valid", record.skipped), 40});
  }
  if (record.fallen_away > 0) {
    pieces.push_back({fmt::format("{} positions fell away", record.fallen_away), 41});
  }
  if (record.infeasible > 0) {
    pieces.push_back({fmt::format("{} sequences skipped", record.infeasible), 42});
  }
  pieces.push_back({fmt::format("{:.1f} s", number("seconds")), 45});
  return fitted(std::move(pieces), width);
}

ProgressPrinter::ProgressPrinter(Progress how, std::FILE* out, std::int64_t epochs)
    : how_(how), out_(out), epochs_(epochs) {
  if (!out_) {
    fail<OptionError>("fit",
                      "the option .output is null; expected an open FILE, as stdout; "
                      "Progress::off shows nothing");
  }
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
  fmt::print(out, "{}\n", message_text(std::string(text)));
  std::fflush(out);
}

}  // namespace maskgrad::detail
