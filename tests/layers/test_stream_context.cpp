#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "layers/stream_contexts.hpp"

// A stream whose sequences have a context as a whole from their beginning: decoders of an encoder's
// sequence.

namespace maskgrad::tests::test_stream_context {

using namespace stream_contexts;

TEST_CASE("steps read their context as the whole does, and it is read once") {
  std::int64_t calls = 0;
  auto model = translator(&calls);
  const Evaluate evaluate;
  const Tensor y = numbers({3, 5, 3}, 1, of_steps), x = numbers({3, 6, 2}, 2, of_context);
  const Tensor whole = model({y, x})[0];
  calls = 0;
  Stream stream(model, {.sequences = 3, .context = {x}});
  CHECK(stream.time().look_ahead == 0);
  const auto got = in_pieces(stream, y);
  for (std::int64_t s = 0; s < 3; ++s)
    check_near(got[static_cast<std::size_t>(s)], valid(whole, s));
  CHECK(calls == 1);

  // The same mask for both, and a context without one.
  const Tensor same = numbers({3, 5, 2}, 3, of_steps),
               full_x = random_normal({3, 4, 2}, Seed{4}, DType::f64);
  for (const auto& context : {same, full_x}) {
    const Tensor expected = model({y, context})[0];
    Stream other(model, {.sequences = 3, .context = {context}});
    const auto pieces = in_pieces(other, y);
    for (std::int64_t s = 0; s < 3; ++s)
      check_near(pieces[static_cast<std::size_t>(s)], valid(expected, s));
  }
}

TEST_CASE("gradients through pushes reach the context and the encoder's weights") {
  auto model = translator();
  const Tensor y = numbers({3, 5, 3}, 1, of_steps);
  const Tensor x = zeros({3, 6, 2}, DType::f64).with_grad();
  Tensors of{x};
  for (const auto& p : model.parameters()) of.push_back(p.tensor());
  const auto whole = gradients(sum(square(model({y, x.with_mask(of_context)})[0])), of);
  Stream stream(model, {.sequences = 3, .context = {x.with_mask(of_context)}});
  Tensor total;
  for (std::int64_t t = 0; t < 5; t += 2) {
    const Tensor out = stream.push(slice(y, 1, t, std::min<std::int64_t>(5, t + 2)));
    total = total.defined() ? total + sum(square(out)) : sum(square(out));
  }
  const auto pieces = gradients(total, of);
  for (std::size_t i = 0; i < of.size(); ++i) {
    check_near(pieces[i].value().to_vector<double>(), whole[i].value().to_vector<double>());
  }
}

TEST_CASE(
    "a place gets a new sequence with its own context, and states are reordered with theirs") {
  auto model = translator();
  const Evaluate evaluate;
  const Tensor y = numbers({3, 5, 3}, 1, of_steps), x = numbers({3, 6, 2}, 2, of_context);
  Stream stream(model, {.sequences = 3, .context = {x}});
  stream.push(y);
  stream.finish(1);
  CHECK_THROWS_WITH_AS(stream.push(y), doctest::Contains("restart(1, context)"), StateError);
  const Tensor next = numbers({1, 2, 2}, 5, Mask::from_lengths({2}));
  CHECK_THROWS_AS(stream.restart(1, {}), ShapeError);
  CHECK_THROWS_AS(stream.restart(1, {x}), ShapeError);
  CHECK_THROWS_AS(stream.restart(1, {ones({1, 2, 2}, DType::f64)}), ShapeError);
  stream.restart(1, {next});
  const Tensor own = slice(y, 0, 0, 1);
  const Tensor none = full({1, 5, 3}, std::nan(""), DType::f64);
  const Tensor out = stream.push(concatenate({none, own.drop_mask("all there"), none}, 0)
                                     .with_mask(Mask::from_lengths({0, 5, 0}, 5)));
  check_near(valid(out, 1), valid(model({own, next})[0], 0));

  Stream other(model, {.sequences = 3, .context = {x}});
  other.push(slice(y, 1, 0, 2));
  other.reorder({2, 0, 0});
  const Tensor rest = slice(slice(y, 0, 0, 1), 1, 2, 5).drop_mask("all there");
  const Tensor shorter = full({1, 3, 3}, std::nan(""), DType::f64);
  const Tensor moved =
      other.push(concatenate({shorter, rest, rest}, 0).with_mask(Mask::from_lengths({0, 3, 3}, 3)));
  const auto all = valid(model({y, x})[0], 0);
  for (const std::int64_t place : {1, 2}) {
    check_near(valid(moved, place), {all.end() - 9, all.end()});
  }
}

TEST_CASE("ids are generated over what an encoder reads, alone, in a batch and by beams") {
  constexpr std::int64_t ids = 6;
  Functional model;
  const auto y = model.input("y"), x = model.input("x");
  auto read = model.add(Embedding{{.input_dim = ids, .output_dim = 8}}, {x});
  read = model.add(TransformerEncoder{{.intermediate_dim = 8, .num_heads = 2}}, {read});
  auto at = model.add(Embedding{{.input_dim = ids, .output_dim = 8}}, {y});
  at = model.add(
      TransformerDecoder{
          {.intermediate_dim = 8, .num_heads = 2, .window = 3, .rotary_max_wavelength = 50}},
      {at, read});
  model.outputs({model.add(Dense{{.units = ids}}, {at})});
  model.build({Spec::ids({any, any}).masked(2), Spec::ids({any, any}).masked(2)}, Seed{2});
  for (auto& p : model.parameters()) p.set(p.tensor().value() * 3.0);
  const Tensor prompts =
      tensor<std::int64_t>({1, 2, 3, 4, -9, -9}, {2, 3}).with_mask(Mask::from_lengths({3, 1}, 3));
  const Tensor source =
      tensor<std::int64_t>({5, -9, -9, 0, 1, 2}, {2, 3}).with_mask(Mask::from_lengths({1, 3}, 3));
  const auto sequence = [](const Tensor& y, std::int64_t s) {
    const auto length = y.mask().lengths()[static_cast<std::size_t>(s)];
    return slice(slice(y, 0, s, s + 1), 1, 0, length).drop_mask("read").to_vector<std::int64_t>();
  };
  const Tensor together = generate(model, prompts, {.max_steps = 6, .context = {source}});
  const Evaluate evaluate;
  for (std::int64_t s = 0; s < 2; ++s) {
    const Tensor prompt = slice(prompts, 0, s, s + 1), own = slice(source, 0, s, s + 1);
    CHECK(sequence(generate(model, prompt, {.max_steps = 6, .context = {own}}), 0) ==
          sequence(together, s));
    Ids slow = sequence(prompt, 0);
    for (int step = 0; step < 6; ++step) {
      const Tensor so_far =
          tensor(slow, {1, std::ssize(slow)}).with_mask(Mask::from_lengths({std::ssize(slow)}));
      const auto logits =
          select(model({so_far, own})[0].drop_mask("read"), 1, -1).to_vector<float>();
      slow.push_back(std::max_element(logits.begin(), logits.end()) - logits.begin());
    }
    CHECK(slow == sequence(together, s));
    CHECK(sequence(generate(model, prompt, {.max_steps = 6, .beam = 3, .context = {own}}), 0) ==
          sequence(generate(model, prompts, {.max_steps = 6, .beam = 3, .context = {source}}), s));
  }
}

TEST_CASE("where context cannot be read the stream says so") {
  auto model = translator();
  const Evaluate evaluate;
  CHECK_THROWS_WITH_AS(Stream{model}, doctest::Contains("does not stream"), OptionError);
  TransformerDecoder block{{.intermediate_dim = 5, .num_heads = 1}};
  build(block, {Spec::f64({any, any, 3}).masked(2), Spec::f64({any, any, 3}).masked(2)});
  CHECK_THROWS_WITH_AS(Stream{block}, doctest::Contains(".context"), OptionError);
  CHECK_THROWS_AS(Stream(model, {.sequences = 4, .context = {zeros({3, 2, 2}, DType::f64)}}),
                  ShapeError);
  CHECK_THROWS_WITH_AS(
      Stream(model, {.sequences = 4,
                     .context = {zeros({2, 3, 2}, DType::f64), zeros({4, 3, 2}, DType::f64)}}),
      doctest::Contains("same number of sequences"), ShapeError);
  const auto spec = Spec::f64({any, any, 3}).masked(2);
  const Tensor x = numbers({3, 6, 3}, 2, of_context);
  Functional added;
  const auto a = added.input("a"), b = added.input("b");
  added.outputs({added.add(Add{}, {a, b})});
  added.build({spec, spec}, Seed{1});
  CHECK_THROWS_WITH_AS(Stream(added, {.sequences = 3, .context = {x}}),
                       doctest::Contains("as a whole"), OptionError);
  Functional turned;
  const auto c = turned.input("c"), d = turned.input("d");
  turned.outputs({turned.add(MultiHeadAttention{{.num_heads = 1, .key_dim = 2}}, {d, c})});
  turned.build({spec, spec}, Seed{1});
  CHECK_THROWS_AS(Stream(turned, {.sequences = 3, .context = {x}}), OptionError);
}

/// A model of one's own that adds what cannot be put together.
struct ByHand {
  Add add;
  static constexpr TimeContract time{};
  Tensor operator()(const Tensors& inputs) { return call(add, inputs).front(); }
  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("add", self.add);
  }
};

TEST_CASE("a model by hand that puts steps and context together is refused when it runs") {
  ByHand model;
  const auto spec = Spec::f64({any, any, 3}).masked(2);
  build(model, {spec, spec});
  const Evaluate evaluate;
  Stream stream(model, {.sequences = 3, .context = {numbers({3, 5, 3}, 2, of_steps)}});
  CHECK_THROWS_WITH_AS(stream.push(numbers({3, 5, 3}, 1, of_steps)), doctest::Contains("context"),
                       ShapeError);
}

}  // namespace maskgrad::tests::test_stream_context
