#include <maskgrad/layers/keras/stand_in.hpp>

#include <algorithm>
#include <array>

#include <maskgrad/layers/basic/lambda.hpp>
#include <maskgrad/layers/keras/make.hpp>
#include <maskgrad/layers/registry/factory.hpp>

namespace maskgrad {
namespace {

struct RoleWord {
  std::string_view word;
  MaskRole role;
};
constexpr std::array role_words = {
    RoleWord{"propagates", MaskRole::propagates}, RoleWord{"supports", MaskRole::supports},
    RoleWord{"consumes", MaskRole::consumes}, RoleWord{"unsupported", MaskRole::unsupported}};

/// A layer of which the mask role is known and nothing else; one that maps each step by itself
/// lets padding through or not as the identity does.
AnyLayer layer_of_role(const KerasCustom& custom, MaskRole role) {
  const std::string title = fmt::format("{} '{}'", custom.class_name, custom.name);
  const auto run = [title, role](const Tensor& x) -> Tensor {
    if (role == MaskRole::propagates) return x;
    fail<StateError>(title, "only what it does with masks was told, so {} cannot be run through it",
                     x.describe());
  };
  return AnyLayer(Lambda(run, {.role = role, .why = "told so"},
                         {.name = detail::keras_path_name(custom.name)}));
}

}  // namespace

KerasFactory keras_stand_in(std::string_view rule) {
  const auto role = std::ranges::find(role_words, rule, &RoleWord::word);
  if (role != role_words.end()) {
    return [role = role->role](const KerasCustom& custom) { return layer_of_role(custom, role); };
  }
  const auto brace = std::min(rule.find('{'), rule.size());
  const std::string kind(rule.substr(0, brace));
  const std::string options(brace < rule.size() ? rule.substr(brace) : "{}");
  try {
    const AnyLayer made = make_layer(kind, options);
    return [kind, options](const KerasCustom&) { return make_layer(kind, options); };
  } catch (const OptionError& error) {
    fail<OptionError>("keras_stand_in",
                      "'{}' is no layer, and none of the roles propagates, supports, consumes and "
                      "unsupported: {}",
                      rule, error.what());
  }
}

}  // namespace maskgrad
