#include <maskgrad/layers/model/model_from.hpp>

namespace maskgrad {

void detail::refuse_model(std::string_view kind, std::string_view expected) {
  fail<OptionError>("model_from",
                    "the JSON describes a {}; expected a {}. A layer by itself is made by "
                    "make_layer",
                    kind, expected);
}

}  // namespace maskgrad
