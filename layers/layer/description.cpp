#include <maskgrad/layers/layer/description.hpp>

namespace maskgrad::detail {

void refuse_undescribed(std::string_view kind) {
  fail<OptionError>(kind,
                    "it lists no options, so it has no JSON; give the class `using Options`, "
                    "`options()` and the struct `each_option` (layers/layer/options.hpp), and call "
                    "register_layer<T>()");
}

std::string described(std::string_view kind, const extend::OptionWriter& options) {
  extend::OptionWriter whole;
  Description description{std::string(kind), {options.json()}};
  Description::each_option(description, whole);
  return whole.json();
}

Description description_from(std::string_view where, std::string_view json) {
  return extend::read_options<Description>(where, json);
}

extend::JsonPart part_of(std::string_view kind, extend::OptionWriter& config) {
  extend::OptionWriter whole;
  PartDescription description{std::string(kind), config.part()};
  PartDescription::each_option(description, Taking{whole});
  return whole.part();
}
extend::JsonPart part_of(const AnyLayer& layer) {
  extend::OptionWriter config;
  layer.write_options(config);
  return part_of(layer.kind(), config);
}

std::string describe_any(const AnyLayer& layer) {
  extend::OptionWriter writer;
  layer.write_options(writer);
  return described(layer.kind(), writer);
}

}  // namespace maskgrad::detail
