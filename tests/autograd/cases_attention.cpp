#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/autograd/ops/attention/attention.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace in_cases_attention {

using Inputs = std::vector<Tensor>;

constexpr std::string_view keyed = "noise is keyed by the sequence's index";
constexpr MaskContract over_keys{.role = MaskRole::supports,
                                 .why = "each valid query reads the valid keys of its sequence",
                                 .full_role = MaskRole::unsupported};
void add_attention(std::vector<OpCase>& cases, const std::string& variant,
                   const AttentionOptions& options, std::int64_t heads, LawOptions laws = {}) {
  cases.push_back({.op = "attention",
                   .variant = variant,
                   .f = [options](const Inputs& x) { return attention(x[0], x[1], x[2], options); },
                   .inputs = {{.shape = {heads, 3}}, {.shape = {2, 3}}, {.shape = {2, 2}}},
                   .contract = over_keys,
                   .laws = std::move(laws)});
}

void add_additive(std::vector<OpCase>& cases, const std::string& variant,
                  const AdditiveAttentionOptions& options, LawOptions laws = {}) {
  cases.push_back(
      {.op = "additive_attention",
       .variant = variant,
       .f = [options](
                const Inputs& x) { return additive_attention(x[0], x[1], x[2], x[3], options); },
       .inputs = {{.shape = {3}},
                  {.shape = {3}},
                  {.shape = {2}},
                  {.shape = {3}, .kind = InputKind::shared}},
       .contract = over_keys,
       .laws = std::move(laws)});
}

}  // namespace in_cases_attention

std::vector<OpCase> attention_cases() {
  using namespace in_cases_attention;
  std::vector<OpCase> cases;
  add_attention(cases, "", {}, 2);
  add_attention(cases, "causal, scaled", {.scale = 0.3, .causal = true}, 2);
  add_attention(cases, "window", {.window = 1}, 2);
  add_attention(cases, "grouped heads", {}, 4);
  add_attention(cases, "dropout", {.dropout = 0.3, .seed = {4}}, 2,
                {.not_alone = keyed, .not_split = keyed});
  cases.push_back({.op = "attention",
                   .variant = "bias",
                   .f = [](const Inputs& x) { return attention(x[0], x[1], x[2], {.bias = x[3]}); },
                   .inputs = {{.shape = {2, 3}},
                              {.shape = {2, 3}},
                              {.shape = {2, 2}},
                              {.shape = {2, case_time, case_time}, .kind = InputKind::shared}},
                   .contract = over_keys,
                   .laws = {.fixed_steps = "the bias has a value for each pair of steps"}});
  cases.push_back({.op = "attention_scores",
                   .f = [](const Inputs& x) { return attention_scores(x[0], x[1]); },
                   .inputs = {{.shape = {2, 3}}, {.shape = {2, 3}}},
                   .contract = over_keys,
                   .laws = {.not_alone = "keys are an axis of their own"}});
  add_additive(cases, "", {});
  add_additive(cases, "causal", {.causal = true});
  add_additive(cases, "dropout", {.dropout = 0.3, .seed = {4}},
               {.not_alone = keyed, .not_split = keyed});
  cases.push_back(
      {.op = "additive_attention_scores",
       .f = [](const Inputs& x) { return additive_attention_scores(x[0], x[1], x[2]); },
       .inputs = {{.shape = {3}}, {.shape = {3}}, {.shape = {3}, .kind = InputKind::shared}},
       .contract = over_keys,
       .laws = {.not_alone = "keys are an axis of their own"}});
  return cases;
}

}  // namespace maskgrad::tests
