#pragma once

#include <cstdint>

namespace maskgrad {

/// How much JSON is taken from a file or a text, so that a hostile one costs no more than an honest
/// one. What is beyond it is refused while it is read, and not written either.
struct JsonLimits {
  std::int64_t depth = 1000;        ///< objects and arrays inside each other
  std::int64_t values = 1'000'000;  ///< numbers, texts, objects, arrays, ... in all
  std::int64_t layers = 20'000;     ///< objects with a class_name: layers, and cells in them
};

/// Other limits, in this thread and as long as it lives.
class JsonLimitsScope {
 public:
  explicit JsonLimitsScope(JsonLimits limits);
  ~JsonLimitsScope();
  JsonLimitsScope(const JsonLimitsScope&) = delete;
  JsonLimitsScope& operator=(const JsonLimitsScope&) = delete;

  static const JsonLimits& current();

 private:
  JsonLimits before_;
};

}  // namespace maskgrad
