#include <doctest/doctest.h>

#include <cmath>
#include <optional>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

// Streams at their edges: pushes of nothing, streams that move, states of other models.

namespace maskgrad::tests::test_stream_edges {

Sequential attentive(std::int64_t heads = 1, DType dtype = DType::f32) {
  Sequential model{
      GRU{{.units = 4, .return_sequences = true}},
      MaskedConv1D{{.filters = 6, .kernel_size = 3, .padding = "same"}},
      MultiHeadAttention{
          {.num_heads = heads, .key_dim = 6 / heads, .use_causal_mask = true, .window = 5}},
      TransformerEncoder{{.intermediate_dim = 4, .num_heads = heads, .use_causal_mask = true}},
      MaskedMaxPooling1D{{.pool_size = 2}}};
  const Shape shape{any, any, 3};
  model.build((dtype == DType::f32 ? Spec::f32(shape) : Spec::f64(shape)).masked(2), Seed{1});
  return model;
}

const Tensor steps = random_normal({2, 4, 3}, Seed{1});

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         a.drop_mask("read").to_vector<float>() == b.drop_mask("read").to_vector<float>();
}

TEST_CASE("pushes without steps change nothing, also the first ones") {
  const auto model = attentive();
  for (const bool trains : {false, true}) {
    std::optional<Evaluate> evaluate;
    if (!trains) evaluate.emplace();
    Stream stream(model, {.sequences = 2}), other(model, {.sequences = 2});
    for (const Tensor& none :
         {zeros({2, 0, 3}),
          full({2, 3, 3}, std::nan("")).with_mask(Mask::from_lengths({0, 0}, 3))}) {
      CHECK(stream.push(none).mask().valid() == 0);
    }
    for (int i = 0; i < 2; ++i) {
      CHECK(same(stream.push(steps), other.push(steps)));
      stream.push(zeros({2, 0, 3}));
    }
    CHECK(same(stream.finish(1), other.finish(1)));
    CHECK(stream.finish(1).mask().valid() == 0);  // nothing waits there any more
    CHECK(same(stream.push(steps), other.push(steps)));
  }
}

TEST_CASE("a stream outlives its model, moves and is copied") {
  const Evaluate evaluate;
  std::optional<Stream> stream;
  {
    const auto model = attentive();
    stream.emplace(model, StreamOptions{.sequences = 2});
  }
  stream->push(steps);
  Stream copy = *stream, moved = std::move(*stream);
  CHECK(same(copy.push(steps), moved.push(steps)));
  CHECK(stream->sequences() == 0);
  CHECK_THROWS_AS(stream->push(steps), ShapeError);
  CHECK_THROWS_AS(stream->push(zeros({0, 1, 3})), StateError);
  CHECK_THROWS_AS(stream->save_state("state.safetensors"), StateError);
  CHECK_THROWS_AS(Stream(*stream).finish(std::vector<std::int64_t>{}), StateError);
  *stream = copy;
  CHECK(same(copy.push(steps), stream->push(steps)));
}

TEST_CASE("a state of another model, or none, is refused when it is given") {
  const Evaluate evaluate;
  const auto model = attentive();
  Stream stream(model, {.sequences = 2});
  const Tensor before = Stream(stream).push(steps);
  const auto refuses = [&](const StreamState& state, const std::string& text) {
    CHECK(throws<Error>([&] { stream.set_state(state); }, text));
    CHECK(same(Stream(stream).push(steps), before));
  };
  const auto state_of = [](const Sequential& other, const Tensor& x) {
    Stream stream(other, {.sequences = 2});
    stream.push(x);
    return stream.state();
  };
  refuses(state_of(attentive(3), steps), "another model");
  refuses(state_of(attentive(1, DType::f64), cast(steps, DType::f64)), "f64[3, 12]");
  refuses({}, "a state of 0 sequences");
  CHECK_NOTHROW(Stream(stream).set_state(state_of(clone(model), steps)));
  auto ruined = state_of(model, steps);
  ruined.steps = {-5, 7};
  refuses(ruined, "-5 steps");
  ruined = state_of(model, steps);
  ruined.slots.begin()->second.begins = {true};
  refuses(ruined, "what is not of these sequences");
  ruined = state_of(model, steps);
  ruined.slots.begin()->second.tensors[0] = {};
  refuses(ruined, "what is not of these sequences");
  for (const auto& [place, slot] : state_of(model, steps).slots) {
    if (slot.tensors.size() < 2) continue;
    auto state = state_of(model, steps);
    state.slots[place].tensors.resize(1);
    Stream other = stream;
    other.set_state(state);  // the layer sees it
    CHECK_THROWS_AS(other.push(steps), StateError);
  }
}

}  // namespace maskgrad::tests::test_stream_edges
