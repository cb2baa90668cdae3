#include <maskgrad/layers/attention/grouped_query_attention.hpp>

#include <maskgrad/layers/attention/positions.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

GroupedQueryAttention::GroupedQueryAttention(GroupedQueryAttentionOptions o)
    : info(kind, o.name),
      options_(o),
      core_({.heads = o.num_query_heads,
             .kv_heads = o.num_key_value_heads,
             .key_dim = o.head_dim,
             .value_dim = o.head_dim,
             .dropout = o.dropout,
             .use_bias = o.use_bias,
             .kernel_initializer = o.kernel_initializer,
             .bias_initializer = o.bias_initializer,
             .seed = o.seed,
             .causal = o.use_causal_mask,
             .window = o.window,
             .rotary_max_wavelength = o.rotary_max_wavelength,
             .return_scores = o.return_attention_scores}) {
  check::at_least(kind, "head_dim", o.head_dim, 1);
  check::at_least(kind, "num_query_heads", o.num_query_heads, 1);
  check::at_least(kind, "num_key_value_heads", o.num_key_value_heads, 1);
  check::rate(kind, "dropout", o.dropout);
  if (o.rotary_max_wavelength)
    detail::check_rotary(kind, "head_dim", o.head_dim, *o.rotary_max_wavelength);
  if (o.window) check::at_least(kind, "window", *o.window, 0);
  if (o.num_query_heads % o.num_key_value_heads == 0) return;
  fail<OptionError>(kind,
                    "the option .num_query_heads is {} with .num_key_value_heads {}; expected a "
                    "multiple, so that each key head serves as many query heads",
                    o.num_query_heads, o.num_key_value_heads);
}

}  // namespace maskgrad
