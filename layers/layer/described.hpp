#pragma once

#include <maskgrad/layers/layer/layer.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {
namespace extend {

/// A layer that the factory can make and describe: it has `Options` with `each_option`, and
/// `options()`; or, where that is not all of it, `from_options(reader)` and
/// `write_options(writer)`.
template <class L>
concept Described = Layer<L> &&(
    requires(const L& layer) {
      { layer.options() } -> std::convertible_to<const typename L::Options&>;
      requires std::constructible_from<L, typename L::Options>;
    } ||
    requires(const L& layer, OptionReader& reader, OptionWriter& writer) {
      { L::from_options(reader) } -> std::same_as<L>;
      layer.write_options(writer);
    });

}  // namespace extend

namespace detail {

[[noreturn]] void refuse_undescribed(std::string_view kind);

/// OptionError where the layer lists no options.
template <Layer L>
void write_options_of(const L& layer, extend::OptionWriter& writer) {
  if constexpr (requires { layer.write_options(writer); }) {
    layer.write_options(writer);
  } else if constexpr (extend::Described<L>) {
    L::Options::each_option(layer.options(), writer);
  } else {
    refuse_undescribed(L::kind);
  }
}

}  // namespace detail
}  // namespace maskgrad
