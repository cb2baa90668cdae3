#include <maskgrad/layers/attention/multi_head_attention.hpp>

#include <maskgrad/layers/attention/positions.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

MultiHeadAttention::MultiHeadAttention(MultiHeadAttentionOptions o)
    : info(kind, o.name),
      options_(o),
      core_({.heads = o.num_heads,
             .kv_heads = o.num_heads,
             .key_dim = o.key_dim,
             .value_dim = o.value_dim.value_or(o.key_dim),
             .dropout = o.dropout,
             .use_bias = o.use_bias,
             .output_shape = o.output_shape,
             .kernel_initializer = o.kernel_initializer,
             .bias_initializer = o.bias_initializer,
             .seed = o.seed,
             .causal = o.use_causal_mask,
             .window = o.window,
             .rotary_max_wavelength = o.rotary_max_wavelength,
             .return_scores = o.return_attention_scores}) {
  check::at_least(kind, "num_heads", o.num_heads, 1);
  check::at_least(kind, "key_dim", o.key_dim, 1);
  if (o.value_dim) check::at_least(kind, "value_dim", *o.value_dim, 1);
  if (o.output_shape) check::at_least(kind, "output_shape", *o.output_shape, 1);
  check::rate(kind, "dropout", o.dropout);
  if (o.rotary_max_wavelength)
    detail::check_rotary(kind, "key_dim", o.key_dim, *o.rotary_max_wavelength);
  if (o.window) check::at_least(kind, "window", *o.window, 0);
}

}  // namespace maskgrad
