#include <maskgrad/optim/distributed/predict_ranks.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/io/safetensors.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/distributed/agreement.hpp>
#include <maskgrad/optim/distributed/shards.hpp>
#include <maskgrad/optim/train/steps.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view in_predict_ranks = "predict_ranks";

Array array_of_shape(const Shape& shape) {
  const std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  return Array::of<std::int64_t>({std::ssize(sizes)}, sizes);
}

Shape shape_from(const Array& array) {
  const auto sizes = array.values<std::int64_t>();
  return Shape(std::vector<std::int64_t>(sizes.begin(), sizes.end()));
}

/// Adds an output: its shape, its mask, and what is stored, which may be less than the shape says.
void add_output(const Tensor& x, NamedArrays& to) {
  to.push_back({"shape", array_of_shape(x.shape())});
  to.push_back({"stored", extend::dispatch(x.dtype(), [&]<class T>() {
                  return Array::of<T>({rows::total(x)}, rows::of<T>(x));
                })});
  if (!x.has_mask()) return;
  const Shape& lead = x.mask().shape();
  Array mask{DType::boolean, {lead.begin(), lead.end()}, {}};
  for (const bool valid : x.mask().to_vector()) mask.bytes.push_back(std::byte{valid});
  to.push_back({"mask", std::move(mask)});
}

/// Reads what a rank wrote, one array after the other.
class OutputReader {
 public:
  explicit OutputReader(const std::string& text)
      : all_(detail::parse_safetensors(std::as_bytes(std::span(text)), "the outputs of a rank")
                 .arrays) {}
  bool at_end() const { return at_ == all_.size(); }
  bool next_is(std::string_view kind) const {
    return !at_end() && std::string_view(all_[at_].name).ends_with(kind);
  }
  const Array& next() { return all_.at(at_++).array; }

  Tensor output() {
    const Shape shape = shape_from(next());
    const Array& stored = next();
    Mask mask;
    if (next_is("mask")) {
      const Array& given = next();
      std::vector<bool> valid;
      for (const std::byte b : given.bytes) valid.push_back(b != std::byte{0});
      mask = Mask::keep(valid, Shape(given.shape));
    }
    const Tensor made = rows::make(shape, stored.dtype, mask);
    extend::dispatch(stored.dtype, [&]<class T>() {
      const auto values = stored.values<T>();
      std::copy(values.begin(), values.end(), rows::of_mutable<T>(made).begin());
    });
    return made;
  }

 private:
  NamedArrays all_;
  std::size_t at_ = 0;
};

/// What a rank has computed, as safetensors: of each shard its rows, and each output.
std::string outputs_text(NamedArrays arrays) {
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    arrays[i].name = fmt::format("{}/{}", i, arrays[i].name);
  }
  const auto bytes = detail::safetensors_bytes(arrays);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Batch batch_of(const Tensors& inputs) {
  Batch batch;
  batch.inputs = inputs;
  const auto size = inputs.empty() || inputs[0].rank() == 0 ? 0 : inputs[0].shape()[0];
  for (const Tensor& x : inputs) {
    if (x.rank() > 0 && x.shape()[0] == size) continue;
    fail<ShapeError>(in_predict_ranks, "an input is {}, the first {}; expected the same sequences",
                     x.describe(), inputs[0].describe());
  }
  batch.samples = checked::vector<std::int64_t>(in_predict_ranks, size);
  std::iota(batch.samples.begin(), batch.samples.end(), 0);
  batch.begins = batch.samples;
  return batch;
}

Tensors outputs_of(const detail::ModelRef& model, const Batch& batch,
                   const PredictOptions& options) {
  if (!options.batch_invariant || batch.size() < 2) return model(batch.inputs);
  std::vector<Tensors> all;
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    const Tensors one = model(detail::part_of(batch, i, i + 1).inputs);
    all.resize(one.size());
    for (std::size_t k = 0; k < one.size(); ++k) all[k].push_back(one[k]);
  }
  Tensors joined;
  for (const Tensors& parts : all) joined.push_back(concatenate(parts, 0));
  return joined;
}

/// The rows of all shards in the batch's order.
Tensors in_order(const std::vector<std::string>& texts, std::int64_t size) {
  std::vector<Tensors> of_output;
  for (const std::string& text : texts) {
    for (OutputReader reader(text); !reader.at_end();) {
      const Array& shard = reader.next();
      for (std::size_t k = 0; reader.next_is("shape"); ++k) {
        const Tensor x = reader.output();
        of_output.resize(std::max(of_output.size(), k + 1));
        of_output[k].resize(static_cast<std::size_t>(size));
        std::int64_t at = 0;
        for (const auto row : shard.values<std::int64_t>()) {
          of_output[k].at(static_cast<std::size_t>(row)) = slice(x, 0, at, at + 1);
          ++at;
        }
      }
    }
  }
  Tensors joined;
  for (const Tensors& all : of_output) joined.push_back(concatenate(all, 0));
  return joined;
}

}  // namespace

Tensors predict_ranks(detail::ModelRef model, const Tensors& inputs, const RankOptions& ranks,
                      const PredictOptions& options) {
  const Evaluate evaluate;
  const bool meta =
      std::any_of(inputs.begin(), inputs.end(), [](const Tensor& x) { return x.is_meta(); });
  if (meta) return model(inputs);  // nothing is computed
  if (!ranks.communicator) return outputs_of(model, batch_of(inputs), options);
  return detail::or_abort(ranks.communicator, [&] {
    detail::check_ranks(in_predict_ranks, ranks);
    const Batch batch = batch_of(inputs);
    if (batch.size() == 0) return model(inputs);
    NamedArrays own;
    for (const auto& shard : detail::share_of(batch, ranks).own) {
      if (shard.rows.empty()) continue;
      own.push_back({"rows", Array::of<std::int64_t>({std::ssize(shard.rows)}, shard.rows)});
      for (const Tensor& x : outputs_of(model, shard.batch, options)) add_output(x.value(), own);
    }
    return in_order(ranks.communicator.gather(outputs_text(std::move(own))), batch.size());
  });
}

}  // namespace maskgrad
