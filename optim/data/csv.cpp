#include <maskgrad/optim/data/csv.hpp>

#include <maskgrad/core/io/byte_source.hpp>

namespace maskgrad::data {

CsvReader::CsvReader(const std::filesystem::path& path) : file_(path.string()) {
  const detail::ByteSource source(path, "read_dataset");
  text_.resize(source.size());
  source.read_at(0, std::as_writable_bytes(std::span(text_)));
  if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // the mark that some programs put in front
}

void CsvReader::refuse_text(const std::string& column, const std::string& text) const {
  const auto of_column = column.empty() ? "" : ", column " + detail::in_quotes(column);
  fail<FileError>("read_dataset", "{}, line {}{}: {}", file_, line_, of_column, text);
}

bool CsvReader::take_line_end() {
  if (at_ < text_.size() && text_[at_] == '\n') {
    at_ += 1;
  } else if (text_.compare(at_, 2, "\r\n") == 0) {
    at_ += 2;
  } else {
    return false;
  }
  ++next_line_;
  return true;
}

/// What stands up to the quote that ends it.
std::string CsvReader::quoted() {
  std::string field;
  for (++at_; at_ < text_.size(); ++at_) {
    if (text_[at_] == '\n') ++next_line_;
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
  for (; at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n'; ++at_) {
    if (text_.compare(at_, 2, "\r\n") == 0) break;
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
    const bool in_quotes = at_ < text_.size() && text_[at_] == '"';
    fields.push_back(in_quotes ? quoted() : plain());
    if (at_ >= text_.size() || take_line_end()) return true;
    if (text_[at_] != ',') {
      refuse("{} follows a quote that ends; expected a comma or the end of the line",
             detail::in_quotes(text_.substr(at_, 1)));
    }
    ++at_;
  }
}

}  // namespace maskgrad::data
