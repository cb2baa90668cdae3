#include <maskgrad/layers/layer/description.hpp>

namespace maskgrad::detail {

void refuse_undescribed(std::string_view kind) {
  fail<OptionError>(kind,
                    "it lists no options, so it has no JSON; give the class `using Options`, "
                    "`options()` and the struct `each_option` (layers/layer/options.hpp), and call "
                    "register_layer<T>()");
}

std::string described(std::string_view kind, const OptionWriter& options) {
  OptionWriter whole;
  Description description{std::string(kind), {options.json()}};
  Description::each_option(description, whole);
  return whole.json();
}

Description description_from(std::string_view where, std::string_view json) {
  return read_options<Description>(where, json);
}

JsonPart part_of(std::string_view kind, OptionWriter& config) {
  OptionWriter whole;
  PartDescription description{std::string(kind), config.part()};
  PartDescription::each_option(description, Taking{whole});
  return whole.part();
}
JsonPart part_of(const AnyLayer& layer) {
  OptionWriter config;
  layer.write_options(config);
  return part_of(layer.kind(), config);
}

std::string describe_any(const AnyLayer& layer) {
  OptionWriter writer;
  layer.write_options(writer);
  return described(layer.kind(), writer);
}

}  // namespace maskgrad::detail
