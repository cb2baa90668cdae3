#include <maskgrad/optim/data/dataset.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/data/callback.hpp>
#include <maskgrad/optim/data/columns.hpp>
#include <maskgrad/optim/data/standardizer.hpp>
#include <maskgrad/optim/data/views.hpp>

namespace maskgrad {
namespace {

using data::Piece;

/// A tensor's rows as a column.
data::Column column_of(const Tensor& x, const std::string& name) {
  constexpr std::string_view where = "Dataset::from_memory";
  if (!x.defined() || x.is_meta() || x.rank() == 0) {
    fail<ShapeError>(where, "{} is {}; expected a tensor with an axis of sequences", name,
                     x.defined() ? x.describe() : "empty");
  }
  if (x.has_mask() && x.mask().rank() != 2) {
    fail<MaskError>(where,
                    "{} is {}; expected a mask [sequences, time], or none; leave out sequences by "
                    "subset(), and put masks over other axes on in map()",
                    name, x.describe());
  }
  const Tensor stored = rows::stored(x);
  const auto& s = stored.shape();
  auto keeper = std::make_shared<Tensor>(stored);
  data::Column c{detail::ArrayRows(
      x.dtype(), {s.begin(), s.end()},
      {stored.impl().storage.data(), static_cast<std::size_t>(s.count()) * size_of(x.dtype())},
      keeper, name)};
  c.dtype = x.dtype();
  c.inner = rows::inner_shape(x);
  if (!x.has_mask()) c.inner = x.shape().sub(1, x.rank());
  if (x.has_mask()) {
    c.runs = std::make_shared<data::Runs>(data::Runs::of_lengths(x.mask().lengths()));
  }
  return c;
}

void check_sequences(const Tensor& x, const std::string& name, const Tensor& first) {
  if (x.shape()[0] == first.shape()[0]) return;
  fail<ShapeError>("Dataset::from_memory", "{} is {}; expected {} sequences, as in input 0, {}",
                   name, x.describe(), first.shape()[0], first.describe());
}

void check_sample(std::string_view where, std::int64_t sample, std::int64_t size) {
  if (sample >= 0 && sample < size) return;
  fail<IndexError>(where, "sequence {} of a data set of {}; expected 0 to {}", sample, size,
                   size - 1);
}

}  // namespace

Dataset Dataset::from_memory(Tensors inputs, Tensor target, Tensor weight) {
  if (inputs.empty()) {
    fail<ShapeError>("Dataset::from_memory", "no inputs were given; expected at least one tensor");
  }
  data::ColumnSet set;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto name = fmt::format("input {}", i);
    set.inputs.push_back(column_of(inputs[i], name));
    check_sequences(inputs[i], name, inputs[0]);
  }
  const auto add = [&](const Tensor& x, const std::string& name, std::vector<data::Column>& to) {
    if (!x.defined()) return;
    to.push_back(column_of(x, name));
    check_sequences(x, name, inputs[0]);
  };
  add(target, "the target", set.target);
  add(weight, "the weight", set.weight);
  set.size = inputs[0].shape()[0];
  return Dataset(std::make_shared<data::ColumnSource>(std::move(set)));
}

Dataset Dataset::from_callback(CallbackOptions options) {
  return Dataset(std::make_shared<data::CallbackSource>(std::move(options)));
}

Tensor from_sequences(const Tensors& sequences) {
  if (sequences.empty()) fail<ShapeError>("from_sequences", "no sequences; expected at least one");
  CallbackOptions options;
  std::vector<std::int64_t> all;
  for (const auto& x : sequences) {
    if (!x.defined() || x.rank() == 0) {
      fail<ShapeError>("from_sequences", "sequence {} is {}; expected [steps, ...]", all.size(),
                       x.describe());
    }
    all.push_back(static_cast<std::int64_t>(all.size()));
    options.lengths.push_back(x.shape()[0]);
  }
  options.sample = [&](std::int64_t i) {
    return SequenceData{.inputs = {sequences[static_cast<std::size_t>(i)]}};
  };
  return Dataset::from_callback(std::move(options)).batch(all).inputs[0];
}

std::int64_t Dataset::length(std::int64_t sample) const {
  check_sample("Dataset::length", sample, size());
  return source_->length(sample);
}

std::int64_t Dataset::steps() const {
  std::int64_t all = 0;
  for (std::int64_t i = 0; i < size(); ++i) all += source_->length(i);
  return all;
}

Batch Dataset::batch(std::span<const std::int64_t> samples) const {
  std::vector<Piece> pieces;
  for (const auto i : samples) {
    check_sample("Dataset::batch", i, size());
    pieces.push_back(source_->whole(i));
  }
  if (pieces.empty()) {
    fail<IndexError>("Dataset::batch", "no sequences were asked for; expected at least one");
  }
  Batch batch = source_->read(pieces);
  batch.samples.assign(samples.begin(), samples.end());
  batch.begins.resize(samples.size());
  std::iota(batch.begins.begin(), batch.begins.end(), std::int64_t{0});
  return batch;
}

Batch Dataset::batch(std::initializer_list<std::int64_t> samples) const {
  return batch(std::span(samples.begin(), samples.size()));
}

Dataset Dataset::subset(std::vector<std::int64_t> samples) const {
  std::vector<Piece> pieces;
  pieces.reserve(samples.size());
  for (const auto i : samples) {
    check_sample("Dataset::subset", i, size());
    pieces.push_back(source_->whole(i));
  }
  if (!source_) return {};
  return over(std::make_shared<data::ViewSource>(source_, std::move(pieces)));
}

namespace {

void check_steps(std::string_view where, std::int64_t steps) {
  if (steps < 1) fail<OptionError>(where, "{} steps; expected at least 1", steps);
}

}  // namespace

Dataset Dataset::truncated(std::int64_t steps, KeepSteps keep) const {
  check_steps("Dataset::truncated", steps);
  if (!source_) return {};
  source_->check_cuts("Dataset::truncated");
  std::vector<Piece> pieces;
  for (std::int64_t i = 0; i < size(); ++i) {
    const auto length = source_->length(i), kept = std::min(length, steps);
    pieces.push_back({i, keep == KeepSteps::last ? length - kept : 0, kept});
  }
  return over(std::make_shared<data::ViewSource>(source_, std::move(pieces)));
}

Dataset Dataset::pieces(std::int64_t steps) const {
  check_steps("Dataset::pieces", steps);
  if (!source_) return {};
  source_->check_cuts("Dataset::pieces");
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < size(); ++i) {
    count +=
        std::max<std::int64_t>(1, source_->length(i) / steps + (source_->length(i) % steps > 0));
  }
  data::check_room("Dataset::pieces", count);
  std::vector<Piece> pieces;
  for (std::int64_t i = 0; i < size(); ++i) {
    const auto length = source_->length(i);
    // A sequence without steps stays one.
    for (std::int64_t t = 0; t == 0 || t < length; t += steps) {
      pieces.push_back({i, t, std::min(steps, length - t)});
    }
  }
  return over(std::make_shared<data::ViewSource>(source_, std::move(pieces)));
}

Dataset Dataset::map(std::function<Batch(Batch)> f) const {
  if (!f) fail<OptionError>("Dataset::map", "no function was given");
  if (!source_) return {};
  return over(std::make_shared<data::MapSource>(source_, std::move(f)));
}

Dataset Dataset::next_step(std::int64_t input) const {
  if (input < 0) fail<OptionError>("Dataset::next_step", "input {}; expected 0 or more", input);
  if (!source_) return {};
  return over(std::make_shared<data::NextStepSource>(source_, static_cast<std::size_t>(input)));
}

Dataset Dataset::standardized(const Standardizer& standardizer) const {
  if (!source_) return {};
  return map([standardizer](Batch batch) { return standardizer.apply(std::move(batch)); });
}

}  // namespace maskgrad
