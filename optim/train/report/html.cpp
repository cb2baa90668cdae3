#include <maskgrad/optim/train/report/html.hpp>

#include <fmt/format.h>

#include <cmath>

#include <maskgrad/layers/model/flow.hpp>
#include <maskgrad/optim/train/progress.hpp>

namespace maskgrad::report {
namespace {

/// Bytes of the character at the beginning of `text`, by RFC 3629; 0 where there is none.
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  // Neither longer than it need be, nor half of a UTF-16 pair, nor beyond U+10FFFF.
  const unsigned char least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < least || byte(1) > most) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return size;
}

/// `1.2e-05` as `1.2e-5`.
std::string without_zeros(std::string text) {
  const auto e = text.find('e');
  if (e == text.npos) return text;
  const auto digits = text.find_first_not_of("+-0", e + 1);
  return text.substr(0, e + 1) + (text[e + 1] == '-' ? "-" : "") + text.substr(digits);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = character(text);
    const char c = text[0];
    const bool control =
        (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
    if (size == 0 || control) {
      out += "\xEF\xBF\xBD";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string name_text(std::string_view name, std::size_t most) {
  if (name.size() <= most) return escaped(name);
  while (most > 0 && (static_cast<unsigned char>(name[most]) & 0xC0) == 0x80) --most;
  return escaped(name.substr(0, most)) + "...";
}

std::string number(double value) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  if (std::abs(value) >= 9999.5 && std::abs(value) < 1e9) {
    return (value < 0 ? "-" : "") + detail::grouped(std::llround(std::abs(value)));
  }
  return without_zeros(fmt::format("{:.4g}", value));
}

std::string brief(double value) {
  if (std::abs(value) >= 1e6 && std::abs(value) < 1e10) return fmt::format("{:.4g}M", value / 1e6);
  if (std::abs(value) >= 1e4 && std::abs(value) < 1e6) return fmt::format("{:.4g}k", value / 1e3);
  return without_zeros(fmt::format("{:.4g}", value == 0 ? 0 : value));
}

std::string percent(double share) {
  return std::isnan(share) ? number(share) : fmt::format("{:.1f} %", 100 * share);
}

std::string time_text(double seconds) {
  return seconds < 60 ? fmt::format("{:.1f} s", seconds) : detail::duration(seconds);
}

std::string section(std::string_view heading, std::string_view content) {
  return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", heading, content);
}

}  // namespace maskgrad::report
