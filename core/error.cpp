#include <maskgrad/core/error.hpp>

#include <fmt/format.h>

#include <cstdlib>

#include <maskgrad/core/context.hpp>
#include <maskgrad/core/quoted.hpp>

namespace maskgrad {
namespace {
thread_local const extend::LayerScope* innermost = nullptr;
}

extend::LayerScope::LayerScope(std::string_view kind, std::string_view path)
    : kind_(kind), path_(path), outer_(innermost) {
  innermost = this;
}

extend::LayerScope::~LayerScope() {
  innermost = outer_;
}

const extend::LayerScope* extend::LayerScope::current() {
  return innermost;
}

std::string extend::LayerScope::title() const {
  return fmt::format("{} '{}'", kind_, path_);
}

namespace detail {

std::string format(fmt::string_view text, fmt::format_args args) {
  // The one place that every message goes through, whatever names and texts it quotes.
  return message_text(fmt::vformat(text, args));
}

std::string place(std::string_view where) {
  const auto* layer = extend::LayerScope::current();
  if (!layer) return std::string(where);
  const std::string title = layer->title();
  // Not `Dense in Dense 'head'`.
  if (where == title || where == layer->kind()) return message_text(title);
  return message_text(fmt::format("{} in {}", where, title));
}

std::string current_layer_path() {
  const auto* layer = extend::LayerScope::current();
  return layer ? std::string(layer->path()) : std::string();
}

void raise(Throw error, std::string_view where, fmt::string_view text, fmt::format_args args) {
  error(std::string(where), current_layer_path(), place(where) + ": " + format(text, args));
  std::abort();  // an error of the library throws
}

}  // namespace detail
}  // namespace maskgrad
