#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <maskgrad/layers/model/stream.hpp>

namespace maskgrad {

struct GenerateOptions {
  std::int64_t max_steps = 32;  ///< new ids for each prompt, at most
  double temperature = 0;       ///< logits are divided by it and an id is drawn; 0: the likeliest
  std::int64_t top_k = 0;       ///< draws among so many of the likeliest ids; 0: all
  double top_p = 1;             ///< and among the fewest that have this probability together
  std::int64_t beam = 1;        ///< sequences that a beam search follows; 1: none
  double length_penalty = 1;    ///< a finished beam counts by log probability / length^this
  std::vector<std::int64_t> stop = {};  ///< ids that end a sequence, and stand at its end
  bool from_logits = true;              ///< false: the model gives probabilities
  /// The model's inputs behind the ids, one sequence for each prompt, such as what an encoder reads.
  Tensors context = {};
  Seed seed = {};
  /// Sees the id of each prompt as it comes, -1 where its sequence has ended; not with a beam.
  std::function<void(std::span<const std::int64_t>)> on_step = {};
};

namespace detail {
/// The same over a stream of `prompts` * max(1, beam) sequences.
Tensor generate(Stream& stream, const Tensor& prompts, const GenerateOptions& options);
void check_generate(const Tensor& prompts, const GenerateOptions& options);
/// A place for each beam of each prompt; one where there is no prompt.
std::int64_t places_of(const Tensor& prompts, const GenerateOptions& options);
}  // namespace detail

/// Goes on from prompts, id by id, with a model that gives the logits of the id behind each step:
/// each prompt from its own end, whatever the length of the others. What a layer keeps (states, keys
/// and values) is kept, so a step costs a step. A prompt gives the same alone and in any batch, also
/// where ids are drawn: the draws depend on the seed, the prompt and, of equal ones, which it is.
/// Shapes:   prompts i64 [batch, time], model [batch, time] -> [batch, time, ids]; gives i64
///           [batch, longest], each prompt with what follows it.
/// Mask:     supports [batch, time]; the result carries the new lengths. A prompt without a step is
///           a ShapeError: there is nothing to go on from.
/// Throws:   OptionError, also for a model that does not stream or looks ahead; ShapeError.
/// Source:   Holtzman et al. 2020 (top_p); Wu et al. 2016 (length_penalty, as in the field today).
/// Example:  mg::Sequential spells{mg::Embedding{{.input_dim = 9, .output_dim = 4}},
///                                 mg::GRU{{.units = 8, .return_sequences = true}},
///                                 mg::Dense{{.units = 9}}};
///           spells.build(mg::Spec::ids({mg::any, mg::any}).masked(2));
///           mg::generate(spells, ids, {.max_steps = 5, .temperature = 0.8});  // [4, 10]
template <Model M>
Tensor generate(const M& model, const Tensor& prompts, const GenerateOptions& options = {}) {
  const Evaluate evaluate;
  detail::check_generate(prompts, options);
  Stream stream(model,
                {.sequences = detail::places_of(prompts, options), .context = options.context});
  return detail::generate(stream, prompts, options);
}

}  // namespace maskgrad
