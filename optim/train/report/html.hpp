#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace maskgrad::report {

/// As the text of an element or the value of a quoted attribute. What is no UTF-8, and what no page
/// may hold, becomes U+FFFD.
std::string escaped(std::string_view text);

/// A name or text from a user or a file: escaped, and of at most so many bytes.
std::string name_text(std::string_view name, std::size_t most = 200);

/// Four digits where there is no reason for more; a dash for NaN.
std::string number(double value);
/// As short as a tick's label: `0.25`, `15k`, `1e-5`.
std::string brief(double value);
/// `37.5 %`.
std::string percent(double share);
/// `7.3 s`, `12:30`, `3:05:00`.
std::string time_text(double seconds);

/// A box of the page under a heading.
std::string section(std::string_view heading, std::string_view content);

}  // namespace maskgrad::report
