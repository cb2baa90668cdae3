#include <maskgrad/optim/distributed/predict_ranks.hpp>

#include <algorithm>
#include <cstring>
#include <numeric>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/distributed/agreement.hpp>
#include <maskgrad/optim/distributed/shards.hpp>
#include <maskgrad/optim/train/steps.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view in_predict_ranks = "predict_ranks";

/// Tensors as bytes: type, shape, the mask's shape and positions, what is stored.
class TensorWriter {
 public:
  void add(const Tensor& x) {
    add_number(static_cast<std::int64_t>(x.dtype()));
    add_shape(x.shape());
    const bool masked = x.has_mask();
    add_number(masked ? x.mask().rank() : -1);
    if (masked) {
      for (const bool valid : x.mask().to_vector()) text_ += valid ? '1' : '0';
    }
    const auto bytes = stored_bytes(x);
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void add_number(std::int64_t n) { text_.append(reinterpret_cast<const char*>(&n), sizeof n); }
  const std::string& text() const { return text_; }

  static std::span<std::byte> stored_bytes(const Tensor& x) {
    std::size_t size = 8;
    if (x.dtype() == DType::f32) size = 4;
    if (x.dtype() == DType::boolean) size = 1;
    return {x.impl().storage.data(), static_cast<std::size_t>(rows::total(x)) * size};
  }

 private:
  void add_shape(const Shape& shape) {
    add_number(shape.rank());
    for (int i = 0; i < shape.rank(); ++i) add_number(shape[i]);
  }
  std::string text_;
};

class TensorReader {
 public:
  explicit TensorReader(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  std::int64_t number() {
    std::int64_t n = 0;
    std::memcpy(&n, take(sizeof n).data(), sizeof n);
    return n;
  }
  Tensor tensor() {
    const auto dtype = static_cast<DType>(number());
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(number()));
    for (auto& each : sizes) each = number();
    const Shape shape(sizes);
    const auto mask_rank = static_cast<int>(number());
    Mask mask;
    if (mask_rank >= 0) {
      const Shape lead = shape.sub(0, mask_rank);
      std::vector<bool> valid;
      for (const char c : take(static_cast<std::size_t>(lead.count()))) valid.push_back(c == '1');
      mask = Mask::keep(valid, lead);
    }
    const Tensor made = rows::make(shape, dtype, mask);
    const auto to = TensorWriter::stored_bytes(made);
    const auto from = take(to.size());
    if (!to.empty()) std::memcpy(to.data(), from.data(), to.size());
    return made;
  }

 private:
  std::string_view take(std::size_t bytes) {
    const auto front = text_.substr(0, bytes);
    text_.remove_prefix(bytes);
    return front;
  }
  std::string_view text_;
};

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
    for (TensorReader reader(text); !reader.at_end();) {
      std::vector<std::int64_t> shard(static_cast<std::size_t>(reader.number()));
      for (auto& row : shard) row = reader.number();
      of_output.resize(static_cast<std::size_t>(reader.number()));
      for (Tensors& all : of_output) {
        all.resize(static_cast<std::size_t>(size));
        const Tensor x = reader.tensor();
        for (std::size_t i = 0; i < shard.size(); ++i) {
          const auto at = static_cast<std::int64_t>(i);
          all[static_cast<std::size_t>(shard[i])] = slice(x, 0, at, at + 1);
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
    TensorWriter own;
    for (const auto& shard : detail::share_of(batch, ranks).own) {
      if (shard.rows.empty()) continue;
      own.add_number(std::ssize(shard.rows));
      for (const auto row : shard.rows) own.add_number(row);
      const Tensors outputs = outputs_of(model, shard.batch, options);
      own.add_number(std::ssize(outputs));
      for (const Tensor& x : outputs) own.add(x.value());
    }
    return in_order(ranks.communicator.gather(own.text()), batch.size());
  });
}

}  // namespace maskgrad
