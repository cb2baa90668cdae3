#include <maskgrad/autograd/ops/additive_attention.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/attention.hpp>
#include <maskgrad/autograd/ops/batched_matmul.hpp>
#include <maskgrad/autograd/ops/einsum.hpp>
#include <maskgrad/autograd/ops/positions.hpp>
#include <maskgrad/autograd/ops/segment.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace {

using Inputs = std::vector<Tensor>;

constexpr std::string_view keyed = "noise is keyed by the sequence's index";
constexpr MaskContract over_keys{.role = MaskRole::supports,
                                 .why = "each valid query reads the valid keys of its sequence",
                                 .full_role = MaskRole::unsupported};
constexpr MaskContract inside_a_row{.role = MaskRole::propagates,
                                    .why = "a product for each row",
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

void add_positions(std::vector<OpCase>& cases) {
  constexpr MaskContract by_rank{.role = MaskRole::supports,
                                 .why = "counts the valid steps of each sequence",
                                 .full_role = MaskRole::unsupported};
  cases.push_back({.op = "positions",
                   .f = [](const Tensor& x) { return positions(x, 2); },
                   .inputs = {{.shape = {2}}},
                   .contract = by_rank,
                   .gradient = false});
  for (const std::int64_t features : {4, 3}) {
    cases.push_back({.op = "sine_positions",
                     .variant = features == 3 ? "odd" : "",
                     .f =
                         [](const Tensor& x) {
                           return sine_positions(x, {1.0, 0.3}, 1);
                         },
                     .inputs = {{.shape = {features}}},
                     .contract = by_rank,
                     .gradient = false});
  }
  for (const Shape& shape : {Shape{4}, Shape{2, 4}}) {
    cases.push_back({.op = "rotate_by_position",
                     .variant = shape.rank() > 1 ? "heads" : "",
                     .f =
                         [](const Tensor& x) {
                           return rotate_by_position(x, {1.0, 0.3}, 1);
                         },
                     .inputs = {{.shape = shape}},
                     .contract = by_rank});
  }
}

void add_segments(std::vector<OpCase>& cases, const std::string& name,
                  Tensor (*f)(const Tensor&, const Tensor&, std::int64_t), Draw draw) {
  cases.push_back(
      {.op = name,
       .f = [f](const Inputs& x) { return f(x[0], minimum(maximum(x[1], 1), 2) - 1, 2); },
       .inputs = {{.shape = {2}, .draw = draw}, {.shape = {}, .draw = Draw::ids}},
       .contract = {.role = MaskRole::consumes,
                    .why = "reduces the valid steps of each segment",
                    .sample_role = MaskRole::supports,
                    .full_role = MaskRole::unsupported}});
}

}  // namespace

std::vector<OpCase> attention_cases() {
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
  cases.push_back({.op = "batched_matmul",
                   .f = [](const Inputs& x) { return batched_matmul(x[0], x[1]); },
                   .inputs = {{.shape = {2, 3}}, {.shape = {3, 2}}},
                   .contract = inside_a_row});
  cases.push_back({.op = "batched_matmul",
                   .variant = "both transposed, one shared",
                   .f = [](const Inputs& x) { return batched_matmul(x[0], x[1], true, true); },
                   .inputs = {{.shape = {3, 2}}, {.shape = {2, 3}, .kind = InputKind::shared}},
                   .contract = inside_a_row});
  cases.push_back({.op = "einsum",
                   .variant = "features by a matrix",
                   .f = [](const Inputs& x) { return einsum("bti,ij->btj", x); },
                   .inputs = {{.shape = {3}}, {.shape = {3, 2}, .kind = InputKind::shared}},
                   .contract = inside_a_row});
  cases.push_back({.op = "einsum",
                   .variant = "two of a row",
                   .f = [](const Inputs& x) { return einsum("btij,btkj->btik", x); },
                   .inputs = {{.shape = {2, 3}}, {.shape = {2, 3}}},
                   .contract = inside_a_row});
  cases.push_back({.op = "einsum",
                   .variant = "one of a row",
                   .f = [](const Inputs& x) { return einsum("btij->btj", x); },
                   .inputs = {{.shape = {2, 3}}},
                   .contract = inside_a_row});
  add_positions(cases);
  add_segments(cases, "segment_sum", segment_sum, Draw::normal);
  add_segments(cases, "segment_mean", segment_mean, Draw::normal);
  add_segments(cases, "segment_max", segment_max, Draw::distinct);
  add_segments(cases, "segment_min", segment_min, Draw::distinct);
  return cases;
}

}  // namespace maskgrad::tests
