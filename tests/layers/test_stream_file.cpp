#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include <maskgrad/core/io/safetensors.hpp>
#include <maskgrad/maskgrad.hpp>

#include "io/files.hpp"
#include "throws.hpp"

// The state of a stream, written to a file and read again.

namespace maskgrad::tests::test_stream_file {

using Bits = std::vector<double>;

/// Layers of every kind of state, and branches of unequal latency.
Functional model_of(DType dtype, std::int64_t units = 4) {
  Functional model;
  const auto x = model.input("x");
  auto at = model.add(
      TransformerEncoder{
          {.intermediate_dim = 5, .num_heads = 2, .use_causal_mask = true, .window = 3}},
      {x});
  at = model.add(
      MultiHeadAttention{
          {.num_heads = 2, .key_dim = 2, .use_causal_mask = true, .rotary_max_wavelength = 20}},
      {at});
  const auto late =
      model.add(MaskedConv1D{{.filters = 4, .kernel_size = 3, .padding = "same"}}, {at});
  const auto now = model.add(LSTM{{.units = 4, .return_sequences = true}}, {at});
  at = model.add(Add{}, {late, now});
  at = model.add(LinearAttention{{.num_heads = 1, .key_dim = 4, .return_sequences = true}}, {at});
  at = model.add(MaskedMaxPooling1D{{.pool_size = 2}}, {at});
  const auto steps = model.add(GRU{{.units = units, .return_sequences = true}}, {at});
  const auto mean = model.add(GlobalAveragePooling1D{{.keepdims = true}}, {at});
  model.outputs({steps, model.add(AttentionPooling1D{}, {steps}), mean,
                 model.add(GlobalMaxPooling1D{{.keepdims = true}}, {at}),
                 model.add(LastStep{}, {at})});
  const Shape shape{any, any, 4};
  model.build({(dtype == DType::f32 ? Spec::f32(shape) : Spec::f64(shape)).masked(2)}, Seed{1});
  return model;
}

Tensor numbers(DType dtype, const std::vector<std::int64_t>& lengths, std::uint64_t seed) {
  const Mask mask = Mask::from_lengths(lengths);
  return random_normal(mask.shape() + Shape{4}, Seed{seed}, dtype).with_mask(mask);
}

/// What is stored of all outputs, and where.
Bits bits_of(const Tensors& outputs) {
  Bits bits;
  for (const auto& y : outputs) {
    for (const double v : cast(y.drop_mask("read"), DType::f64).to_vector<double>()) {
      bits.push_back(v);
    }
    if (!y.has_mask()) continue;
    for (const bool v : y.mask().to_vector()) bits.push_back(v);
  }
  return bits;
}

/// Runs two streams on alike, from where they stand.
void check_same(Stream& a, Stream& b, DType dtype) {
  const auto same = [&](const auto& f) { CHECK(bits_of(f(a)) == bits_of(f(b))); };
  for (std::uint64_t i = 0; i < 3; ++i) {
    for (const auto& lengths : {std::vector<std::int64_t>{1, 1, 1}, {5, 0, 2}, {0, 9, 1}}) {
      same([&](Stream& s) { return s.push(Tensors{numbers(dtype, lengths, 50 + i)}); });
    }
    same([&](Stream& s) { return s.finish(std::vector<std::int64_t>{1}); });
  }
}

TEST_CASE("a stream goes on from a file with the same bits") {
  const files::TemporaryFolder folder;
  const Evaluate evaluate;
  for (const DType dtype : {DType::f32, DType::f64}) {
    for (const int pushes : {0, 1, 6}) {
      auto model = model_of(dtype);
      Stream stream(model, {.sequences = 3});
      for (int i = 0; i < pushes; ++i) {
        stream.push(Tensors{numbers(dtype, {2, i, 3}, static_cast<std::uint64_t>(i))});
        if (i == 2) stream.finish(std::vector<std::int64_t>{2});
        if (i == 3) stream.reorder({1, 0, 2});
      }
      if (pushes > 1) stream.restart(0);
      stream.save_state(folder / "state.safetensors");
      save_model(model, folder / "model.safetensors");
      // In another process: the model is loaded too.
      auto loaded = load_model<Functional>(folder / "model.safetensors");
      Stream other(loaded, {.sequences = 3}), used(model, {.sequences = 3});
      used.push(Tensors{numbers(dtype, {4, 4, 4}, 9)});
      for (auto* s : {&other, &used}) {
        s->load_state(folder / "state.safetensors");
        CHECK(s->steps(1) == stream.steps(1));
        Stream from = stream;
        check_same(from, *s, dtype);
      }
      // What was written again is the same file.
      Stream again(loaded, {.sequences = 3});
      again.load_state(folder / "state.safetensors");
      again.save_state(folder / "again.safetensors");
      CHECK(read_safetensors(folder / "again.safetensors") ==
            read_safetensors(folder / "state.safetensors"));
    }
  }
}

Functional translator() {
  Functional model;
  const auto y = model.input("y"), x = model.input("x");
  const auto read =
      model.add(Bidirectional{GRU{{.units = 2, .return_sequences = true}}},
                {model.add(TransformerEncoder{{.intermediate_dim = 5, .num_heads = 2}}, {x})});
  const auto at = model.add(TransformerDecoder{{.intermediate_dim = 6, .num_heads = 2}}, {y, read});
  const auto state = model.add(GlobalSumPooling1D{}, {read});
  model.outputs({model.add(GRU{{.units = 4, .return_sequences = true}}, {at, state})});
  const auto spec = Spec::f32({any, any, 4}).masked(2);
  model.build({spec, spec}, Seed{1});
  return model;
}

TEST_CASE("the context of sequences goes with the state") {
  const files::TemporaryFolder folder;
  const Evaluate evaluate;
  auto model = translator();
  const Tensor context = numbers(DType::f32, {3, 6, 2}, 2);
  for (const bool invariant : {false, true}) {
    const StreamOptions options{.sequences = 3, .context = {context}, .batch_invariant = invariant};
    Stream stream(model, options);
    stream.push(numbers(DType::f32, {2, 1, 3}, 3));
    stream.restart(2, {numbers(DType::f32, {8}, 4)});
    stream.push(numbers(DType::f32, {1, 1, 1}, 5));
    stream.finish(1);
    stream.save_state(folder / "state.safetensors");
    StreamOptions others = options;
    others.context = {numbers(DType::f32, {1, 1, 1}, 6)};
    Stream other(model, others);
    other.load_state(folder / "state.safetensors");
    CHECK_THROWS_WITH_AS(other.push(numbers(DType::f32, {1, 1, 1}, 5)),
                         doctest::Contains("restart(1, context)"), StateError);
    for (auto* s : {&stream, &other}) s->restart(1, {numbers(DType::f32, {2}, 7)});
    for (std::uint64_t i = 0; i < 3; ++i) {
      const Tensor next = numbers(DType::f32, {2, 1, 0}, 10 + i);
      CHECK(bits_of({stream.push(next)}) == bits_of({other.push(next)}));
    }
  }
}

TEST_CASE("a file of another stream is refused by what differs") {
  const files::TemporaryFolder folder;
  const auto path = folder / "state.safetensors";
  auto model = model_of(DType::f32);
  const Tensor x = numbers(DType::f32, {3, 1}, 1);
  {
    Stream training(model, {.sequences = 2});
    CHECK_THROWS_AS(training.save_state(path), StateError);
    CHECK_THROWS_AS(training.load_state(path), StateError);
  }
  const Evaluate evaluate;
  Stream stream(model, {.sequences = 2});
  stream.push(Tensors{x});
  CHECK_THROWS_AS(stream.save_state(folder / "state.npz"), OptionError);
  CHECK_THROWS_AS(stream.load_state(folder / "none.safetensors"), FileError);
  CHECK_THROWS_AS(stream.save_state(folder / "no/folder/state.safetensors"), FileError);
  stream.save_state(path);
  const auto refuses = [&](Stream other, const std::string& text) {
    const StreamState before = other.state();
    CHECK(throws<FileError>([&] { other.load_state(path); }, text, "nothing was changed"));
    CHECK(other.state().steps == before.steps);
  };
  refuses(Stream(model, {.sequences = 3}), ".sequences: 2 there, 3 here");
  refuses(Stream(model, {.sequences = 2, .batch_invariant = true}),
          ".batch_invariant: false there, true here");
  refuses(Stream(model_of(DType::f64), {.sequences = 2}), "f32[4, 2, 2]");
  refuses(Stream(model_of(DType::f32, 5), {.sequences = 2}), "\"units\":5");
  auto trained = clone(model);
  trained.parameters().front().set(trained.parameters().front().value() * 2.0);
  refuses(Stream(trained, {.sequences = 2}), "checksum of the weights");
  Stream given(translator(), {.sequences = 2, .context = {x}});
  refuses(given, "the model: there stands");
  save_model(model, folder / "model.safetensors");
  CHECK_THROWS_WITH_AS(stream.load_state(folder / "model.safetensors"),
                       doctest::Contains("no state of a stream"), FileError);
  auto file = read_safetensors(path);
  auto& notes = file.metadata.at("maskgrad_stream");
  notes.replace(notes.find("\"version\":1"), 11, "\"version\":2");
  write_safetensors(path, file.arrays, file.metadata);
  CHECK_THROWS_WITH_AS(stream.load_state(path), doctest::Contains("version 2; expected 1"),
                       FileError);
}

/// Loads a file that was changed; where it is taken, the stream goes on without harm.
void check_survives(Stream& stream, const std::filesystem::path& path) {
  const auto before = bits_of(Stream(stream).push(Tensors{numbers(DType::f32, {1, 2, 0}, 4)}));
  try {
    Stream other = stream;
    other.load_state(path);
    try {
      for (const auto& lengths : {std::vector<std::int64_t>{1, 1, 1}, {4, 0, 2}}) {
        other.push(Tensors{numbers(DType::f32, lengths, 8)});
      }
      other.finish(std::vector<std::int64_t>{0, 2});
    } catch (const Error&) {
    }
  } catch (const FileError&) {
  }
  CHECK(bits_of(Stream(stream).push(Tensors{numbers(DType::f32, {1, 2, 0}, 4)})) == before);
}

TEST_CASE("damaged and hostile files of streams give errors of the library") {
  const files::TemporaryFolder folder;
  const auto path = folder / "state.safetensors";
  const Evaluate evaluate;
  auto model = model_of(DType::f32);
  Stream stream(model, {.sequences = 3});
  stream.push(Tensors{numbers(DType::f32, {3, 1, 5}, 1)});
  stream.finish(std::vector<std::int64_t>{1});
  stream.push(Tensors{numbers(DType::f32, {3, 0, 5}, 1)});
  stream.save_state(path);
  const std::string whole = files::load(path);
  Stream other(model, {.sequences = 3});
  for (std::size_t i = 0; i < 60; ++i) {  // a byte that changed, or an end that is missing
    std::string bytes = whole;
    const auto at = i * bytes.size() / 60;
    if (i % 2 == 0) {
      bytes[at] = static_cast<char>(bytes[at] ^ 4);
    } else {
      bytes.resize(at);
    }
    files::save(path, bytes);
    CHECK_THROWS_AS(other.load_state(path), FileError);
  }
  files::save(path, whole);
  const auto file = read_safetensors(path);
  const auto write = [&](const NamedArrays& arrays) {
    write_safetensors(path, arrays, file.metadata);
    check_survives(stream, path);
  };
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < file.arrays.size(); ++i) {
    auto arrays = file.arrays;
    auto& array = arrays[i].array;
    if (array.dtype == DType::i64) {
      for (const std::int64_t v :
           {std::int64_t{-1}, std::int64_t{1}, std::int64_t{7}, most, -most}) {
        for (std::size_t k = 0; k < std::min<std::size_t>(array.bytes.size(), 24); k += 8) {
          auto values = file.arrays[i].array.bytes;
          std::memcpy(values.data() + k, &v, 8);
          array.bytes = values;
          write(arrays);
        }
      }
    }
    array = Array::of<float>({1}, std::vector<float>{1});
    write(arrays);
    array = Array::of<std::int64_t>({3}, std::vector<std::int64_t>{1, 2, 3});
    write(arrays);
    arrays.erase(arrays.begin() + static_cast<std::ptrdiff_t>(i));
    write(arrays);
    std::swap(arrays[0], arrays.back());
    arrays.push_back({"slot/nobody/0", Array::of<float>({1}, std::vector<float>{1})});
    write(arrays);
  }
  for (const auto* key : {"sequences", "steps", "context_of", "contexts", "slots", "rooms", "made",
                          "single", "layers", "weights"}) {
    for (const auto* value : {"-1", "[]", "[\"gru\"]", "[-1,2,3]", "[1,2,99]", "true", "null",
                              "\"\"", "9223372036854775807"}) {
      auto metadata = file.metadata;
      auto& text = metadata.at("maskgrad_stream");
      const auto begin = text.find("\"" + std::string(key) + "\":") + std::strlen(key) + 3;
      const auto end =
          text[begin] == '[' ? text.find(']', begin) + 1 : text.find_first_of(",}", begin);
      text.replace(begin, end - begin, value);
      write_safetensors(path, file.arrays, metadata);
      check_survives(stream, path);
    }
  }
}

}  // namespace maskgrad::tests::test_stream_file
