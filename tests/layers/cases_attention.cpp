#include "layers/layer_rows.hpp"

namespace maskgrad::tests {
namespace in_cases_attention {

const CaseInput narrow{.shape = {2}};
const LawOptions with_scores{.not_alone = "the keys are an axis of the scores"};

void multi_head_cases(Rows& rows) {
  rows.add("self", MultiHeadAttention{{.num_heads = 2, .key_dim = 2}}, {features});
  rows.add("self, causal, no bias, output_shape",
           MultiHeadAttention{{.num_heads = 2,
                               .key_dim = 2,
                               .value_dim = 1,
                               .use_bias = false,
                               .output_shape = 2,
                               .use_causal_mask = true}},
           {features});
  rows.add("cross", MultiHeadAttention{{.num_heads = 1, .key_dim = 2, .value_dim = 3}},
           {features, narrow});
  rows.add("cross, a key of its own", MultiHeadAttention{{.num_heads = 2, .key_dim = 2}},
           {features, narrow, features});
  rows.add("scores",
           MultiHeadAttention{{.num_heads = 2, .key_dim = 2, .return_attention_scores = true}},
           {features, narrow}, with_scores);
  rows.add("dropout", MultiHeadAttention{{.num_heads = 2, .key_dim = 2, .dropout = 0.3}},
           {features}, by_index);
}

void windowed_cases(Rows& rows) {
  rows.add("causal, a window, rotary",
           MultiHeadAttention{{.num_heads = 2,
                               .key_dim = 2,
                               .use_causal_mask = true,
                               .window = 1,
                               .rotary_max_wavelength = 20}},
           {features});
  rows.add("a window", MultiHeadAttention{{.num_heads = 1, .key_dim = 3, .window = 1}}, {features});
  rows.add("causal, rotary",
           GroupedQueryAttention{{.head_dim = 4,
                                  .num_query_heads = 4,
                                  .num_key_value_heads = 2,
                                  .use_causal_mask = true,
                                  .rotary_max_wavelength = 20}},
           {features});
}

void grouped_query_cases(Rows& rows) {
  rows.add("self",
           GroupedQueryAttention{{.head_dim = 2, .num_query_heads = 4, .num_key_value_heads = 2}},
           {features});
  rows.add("cross, scores",
           GroupedQueryAttention{{.head_dim = 2,
                                  .num_query_heads = 2,
                                  .num_key_value_heads = 1,
                                  .use_bias = false,
                                  .return_attention_scores = true}},
           {features, narrow}, with_scores);
}

void plain_cases(Rows& rows) {
  rows.add("self", Attention{}, {features});
  rows.add("scale, causal, a value of its own",
           Attention{{.use_scale = true, .use_causal_mask = true}}, {features, narrow, features});
  rows.add("scores", Attention{{.use_scale = true, .return_attention_scores = true}},
           {features, features}, with_scores);
  rows.add("concat", Attention{{.score_mode = "concat"}}, {features});
  rows.add("concat, scale, scores",
           Attention{{.use_scale = true, .score_mode = "concat", .return_attention_scores = true}},
           {features, narrow, features}, with_scores);
  rows.add("dropout", Attention{{.dropout = 0.3}}, {features}, by_index);
  rows.add("self", AdditiveAttention{}, {features});
  rows.add("no scale, causal, a value of its own",
           AdditiveAttention{{.use_scale = false, .use_causal_mask = true}},
           {features, narrow, features});
  rows.add("scores", AdditiveAttention{{.return_attention_scores = true}}, {features, features},
           with_scores);
  rows.add("dropout", AdditiveAttention{{.dropout = 0.3}}, {features}, by_index);
}

void position_cases(Rows& rows) {
  rows.add("", SinePositionEncoding{}, {features});
  rows.add("from 2", SinePositionEncoding{{.max_wavelength = 100, .start_index = 2}}, {features});
  rows.add("", PositionEmbedding{{.sequence_length = case_time}}, {features});
  rows.add("from 1", PositionEmbedding{{.sequence_length = case_time + 1, .start_index = 1}},
           {features});
  rows.add("", RotaryEmbedding{}, {{.shape = {4}}});
  rows.add("heads, from 3", RotaryEmbedding{{.max_wavelength = 100, .start_index = 3}},
           {{.shape = {2, 2}}});
}

void pooling_cases_by_attention(Rows& rows) {
  const CaseInput wide{.shape = {4}};
  rows.add("", AttentionPooling1D{}, {features});
  rows.add("heads, keepdims", AttentionPooling1D{{.num_heads = 2, .keepdims = true}}, {wide});
  rows.add("dropout", AttentionPooling1D{{.dropout = 0.3}}, {features}, by_index);
}

void transformer_cases(Rows& rows) {
  const CaseInput four{.shape = {4}};
  rows.add("", TransformerEncoder{{.intermediate_dim = 3, .num_heads = 2}}, {four});
  rows.add("normalize_first, gelu, scores",
           TransformerEncoder{{.intermediate_dim = 3,
                               .num_heads = 2,
                               .activation = "gelu",
                               .normalize_first = true,
                               .return_attention_scores = true}},
           {four}, with_scores);
  rows.add("dropout", TransformerEncoder{{.intermediate_dim = 3, .num_heads = 2, .dropout = 0.2}},
           {four}, by_index);
  rows.add("causal",
           TransformerEncoder{{.intermediate_dim = 3, .num_heads = 2, .use_causal_mask = true}},
           {four});
  rows.add("a window, turned",
           TransformerEncoder{{.intermediate_dim = 3,
                               .num_heads = 2,
                               .normalize_first = true,
                               .window = 1,
                               .rotary_max_wavelength = 20}},
           {four});
  rows.add("causal, a window, turned",
           TransformerEncoder{{.intermediate_dim = 3,
                               .num_heads = 2,
                               .use_causal_mask = true,
                               .window = 2,
                               .rotary_max_wavelength = 20}},
           {four});
  rows.add("a window, turned",
           TransformerDecoder{
               {.intermediate_dim = 3, .num_heads = 2, .window = 1, .rotary_max_wavelength = 20}},
           {four, four});
  rows.add("alone", TransformerDecoder{{.intermediate_dim = 3, .num_heads = 2}}, {four});
  rows.add("with an encoder",
           TransformerDecoder{{.intermediate_dim = 3, .num_heads = 2, .activation = "tanh"}},
           {four, narrow});
  rows.add("with an encoder, normalize_first, not causal",
           TransformerDecoder{{.intermediate_dim = 3,
                               .num_heads = 3,
                               .normalize_first = true,
                               .use_causal_mask = false}},
           {four, narrow});
}

}  // namespace in_cases_attention

void attention_cases(Rows& rows) {
  using namespace in_cases_attention;
  multi_head_cases(rows);
  grouped_query_cases(rows);
  windowed_cases(rows);
  plain_cases(rows);
  position_cases(rows);
  pooling_cases_by_attention(rows);
  transformer_cases(rows);
}

}  // namespace maskgrad::tests
