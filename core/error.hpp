#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace maskgrad {

/// Every error of the library. `what()` reads `where: what is there, with shapes; what was
/// expected; how to go on`; the fields give its parts to programs.
class Error : public std::invalid_argument {
 public:
  Error(std::string where_, std::string layer_, const std::string& text)
      : std::invalid_argument(text), where(std::move(where_)), layer(std::move(layer_)) {}

  std::string where;  ///< the operation, layer or function that refused, as `matmul`
  std::string layer;  ///< path of the layer that was running, as `encoder/gru_1`; may be empty
};

/// Ranks or sizes that do not fit.
class ShapeError : public Error {
  using Error::Error;
};
/// Memory that the system does not give. What was asked for has not begun: models, tensors and the
/// tape are as they were. A ShapeError too, as it is the sizes that are to be smaller.
class MemoryError : public ShapeError {
 public:
  MemoryError(std::string where_, std::string layer_, const std::string& text,
              std::int64_t wanted_ = 0, std::int64_t held_ = 0)
      : ShapeError(std::move(where_), std::move(layer_), text), wanted(wanted_), held(held_) {}

  std::int64_t wanted;  ///< bytes that were asked for
  std::int64_t held;    ///< bytes that tensors held then
};
/// Element types that do not fit, such as f32 with f64.
class TypeError : public Error {
  using Error::Error;
};
/// A mask where none may be, a mask that does not fit, or a value read that is not valid.
class MaskError : public Error {
  using Error::Error;
};
/// An option of a layer, loss or optimizer that is missing, unknown or out of its range.
class OptionError : public Error {
  using Error::Error;
};
/// An index or id out of range.
class IndexError : public Error {
  using Error::Error;
};
/// Something asked of the tape that it cannot give: a second backward, a changed saved tensor.
class GradError : public Error {
  using Error::Error;
};
/// Something used before it was made: parameters before build, the data of a meta tensor.
class StateError : public Error {
  using Error::Error;
};
/// A file that cannot be read or written, or that is not what it says.
class FileError : public Error {
  using Error::Error;
};

namespace detail {
std::string format(fmt::string_view text, fmt::format_args args);
/// `where`, with the layer that is running behind it: `matmul in Dense 'head/dense'`.
std::string place(std::string_view where);
std::string current_layer_path();

using Throw = void (*)(std::string where, std::string layer, const std::string& text);
template <class E>
[[noreturn]] void throw_as(std::string where, std::string layer, const std::string& text) {
  throw E(std::move(where), std::move(layer), text);
}
/// fail() but for its types: hundreds of places fail, and each set of types would repeat it.
[[noreturn]] void raise(Throw error, std::string_view where, fmt::string_view text,
                        fmt::format_args args);
}  // namespace detail

/// The one door through which errors leave: throws E with `where: text`.
template <class E, class... Args>
[[noreturn]] void fail(std::string_view where, fmt::format_string<Args...> text, Args&&... args) {
  detail::raise(&detail::throw_as<E>, where, text, fmt::make_format_args(args...));
}

}  // namespace maskgrad
