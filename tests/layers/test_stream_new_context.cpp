#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "layers/stream_contexts.hpp"

// What is made anew when the context of a sequence changes, and what bits depend on.

namespace maskgrad::tests::test_stream_new_context {

using namespace stream_contexts;

TEST_CASE("a new context is read alone, and those of beams once") {
  std::vector<Ids> read;
  Functional model;
  const auto y = model.input("y"), x = model.input("x");
  const auto seen = model.add(Lambda{[&read](const Tensor& t) {
                                       if (!t.is_meta()) read.push_back(t.mask().lengths());
                                       return t * 1.0;
                                     },
                                     {.role = MaskRole::propagates, .why = "it maps values"}},
                              {x});
  const auto memory = model.add(GRU{{.units = 3, .return_sequences = true}}, {seen});
  model.outputs({model.add(MultiHeadAttention{{.num_heads = 1, .key_dim = 3}}, {y, memory})});
  const auto spec = Spec::f64({any, any, 3}).masked(2);
  model.build({spec, spec}, Seed{1});
  const Evaluate evaluate;
  const Tensor steps = numbers({3, 5, 3}, 1, of_steps), context = numbers({3, 6, 3}, 2, of_context);
  Stream stream(model, {.sequences = 3, .context = {context}});
  const Tensor before = stream.push(steps);
  const Tensor next = numbers({1, 9, 3}, 3, Mask::from_lengths({9})),
               last = numbers({1, 1, 3}, 4, Mask::from_lengths({1}));
  stream.restart(1, {last});
  stream.restart(1, {next});
  stream.restart(0, {last});
  const Tensor after = stream.push(steps);
  CHECK(read == std::vector<Ids>{{3, 6, 0}, {1, 9}});
  CHECK(valid(after, 2) == valid(before, 2));
  check_near(valid(after, 0), valid(model({slice(steps, 0, 0, 1), last})[0], 0));
  check_near(valid(after, 1), valid(model({slice(steps, 0, 1, 2), next})[0], 0));

  read.clear();
  Stream beams(model, {.sequences = 6, .context = {context}});
  beams.push(zeros({6, 1, 3}, DType::f64));
  beams.reorder({1, 0, 2, 3, 5, 5});
  beams.push(zeros({6, 1, 3}, DType::f64));
  CHECK(read == std::vector<Ids>{{3, 6, 0}});
}

TEST_CASE("with .batch_invariant bits depend on no other sequence's context") {
  auto model = translator();
  const Tensor y = numbers({3, 5, 3}, 1, of_steps), x = numbers({3, 6, 2}, 2, of_context);
  CHECK_THROWS_AS(Stream(model, {.sequences = 3, .context = {x}, .batch_invariant = true}),
                  OptionError);  // in training
  const Evaluate evaluate;
  Stream stream(model, {.sequences = 3, .context = {x}, .batch_invariant = true});
  const auto together = in_pieces(stream, y);
  for (std::int64_t s = 0; s < 3; ++s) {
    Stream alone(model,
                 {.sequences = 1, .context = {slice(x, 0, s, s + 1)}, .batch_invariant = true});
    CHECK(valid(alone.push(slice(y, 0, s, s + 1)), 0) == together[static_cast<std::size_t>(s)]);
    check_near(together[static_cast<std::size_t>(s)], valid(model({y, x})[0], s));
  }
  // A place that was used before gives the same, too.
  const Tensor own = slice(x, 0, 1, 2);
  stream.finish(0);
  stream.restart(0, {own});
  const Tensor none = full({1, 5, 3}, std::nan(""), DType::f64);
  const Tensor pushed = concatenate({slice(y, 0, 1, 2).drop_mask("first"), none, none}, 0);
  CHECK(valid(stream.push(pushed.with_mask(Mask::from_lengths({2, 0, 0}, 5))), 0) == together[1]);
}

}  // namespace maskgrad::tests::test_stream_new_context
