#include <maskgrad/optim/data/csv.hpp>

#include <maskgrad/core/io/byte_source.hpp>

namespace maskgrad::data {
namespace {

std::string text_of(const std::filesystem::path& path) {
  const detail::ByteSource source(path, "read_dataset");
  std::string text(source.size(), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

CsvReader::CsvReader(const std::filesystem::path& path, LineEnd line_end)
    : CsvReader(text_of(path), path.string(), line_end) {}

CsvReader::CsvReader(std::string text, std::string name, LineEnd line_end)
    : file_(std::move(name)), text_(std::move(text)) {
  if (text_.starts_with("\xEF\xBB\xBF")) begin_ = 3;  // the mark that some programs put in front
  if (text_.starts_with("\xFF\xFE") || text_.starts_with("\xFE\xFF")) {
    line_ = 1;
    refuse("the file is UTF-16; save it as UTF-8");
  }
  find_line_ends(line_end);
  restart(',');
}

void CsvReader::restart(char delimiter) {
  delimiter_ = delimiter;
  at_ = begin_;
  line_ = 0;
  next_line_ = 1;
}

/// Whether a CR alone ends a line: in a file that has no other line ends, or where that is said.
void CsvReader::find_line_ends(LineEnd line_end) {
  bool quoted = false;
  std::int64_t others = 0, first = 0;
  for (std::size_t i = begin_; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n') ++others;
    const bool alone = c == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n');
    if (alone && first == 0) first = others + 1;
  }
  cr_ends_ = line_end == LineEnd::any || (line_end == LineEnd::automatic && first > 0);
  if (first == 0 || others == 0 || line_end != LineEnd::automatic) return;
  line_ = first;
  refuse(
      "a CR stands alone, but {} lines end in LF or CRLF; expected one or the other; set .line_end "
      "to LineEnd::any if it ends a line, to LineEnd::lf if it is part of a field",
      others);
}

void CsvReader::refuse_text(const std::string& column, const std::string& text) const {
  const auto of_column = column.empty() ? "" : ", column " + detail::in_quotes(column);
  fail<FileError>("read_dataset", "{}, line {}{}: {}", file_, line_, of_column, text);
}

/// How many bytes end a line at `at`; 0 where none does.
std::size_t CsvReader::line_end_at(std::size_t at) const {
  if (at >= text_.size()) return 0;
  if (text_[at] == '\n') return 1;
  if (text_[at] != '\r') return 0;
  if (at + 1 < text_.size() && text_[at + 1] == '\n') return 2;
  return cr_ends_ ? 1 : 0;
}

bool CsvReader::take_line_end() {
  const auto length = line_end_at(at_);
  at_ += length;
  next_line_ += length > 0;
  return length > 0;
}

/// What stands up to the quote that ends it.
std::string CsvReader::quoted() {
  std::string field;
  for (++at_; at_ < text_.size(); ++at_) {
    if (text_[at_] == '\n' || (text_[at_] == '\r' && line_end_at(at_) == 1)) ++next_line_;
    if (text_[at_] != '"') {
      field += text_[at_];
    } else if (text_.compare(at_, 2, "\"\"") == 0) {
      field += text_[at_++];
    } else {
      ++at_;
      return field;
    }
  }
  refuse("a quote begins here that does not end; write \" inside quotes as \"\"");
}

std::string CsvReader::plain() {
  const auto begin = at_;
  for (; at_ < text_.size() && text_[at_] != delimiter_ && line_end_at(at_) == 0; ++at_) {
    if (text_[at_] == '"') {
      refuse("a quote stands inside a field; put the whole field in quotes, and write \" as \"\"");
    }
  }
  return text_.substr(begin, at_ - begin);
}

bool CsvReader::next(std::vector<std::string>& fields) {
  fields.clear();
  line_ = next_line_;
  if (at_ >= text_.size()) return false;
  while (true) {
    const bool opens = at_ < text_.size() && text_[at_] == '"';
    fields.push_back(opens ? quoted() : plain());
    if (at_ >= text_.size() || take_line_end()) return true;
    if (text_[at_] != delimiter_) {
      refuse("{} follows a quote that ends; expected a {} or the end of the line",
             detail::in_quotes(std::string_view(text_).substr(at_, 1)),
             delimiter_ == ',' ? "comma" : detail::in_quotes({&delimiter_, 1}));
    }
    ++at_;
  }
}

}  // namespace maskgrad::data
