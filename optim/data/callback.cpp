#include <maskgrad/optim/data/callback.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/mask_rows.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad::data {
namespace {

constexpr std::string_view in_dataset_from_callback = "Dataset::from_callback";

/// One input, target or weight of a batch, from what each sequence gave for it.
class Joined {
 public:
  Joined(std::string name, std::span<const Piece> pieces, const Mask& mask, bool steps)
      : name_(std::move(name)), pieces_(pieces), mask_(mask), steps_(steps) {}

  void add(const Tensor& x) {
    const auto& piece = pieces_[count_++];
    check(x, piece);
    if (!joined_.defined()) begin(x);
    const auto width = static_cast<std::int64_t>(size_of(x.dtype())) *
                       (steps_ ? x.shape().count(1, x.rank()) : x.shape().count());
    const auto* from = x.impl().storage.data() + (steps_ ? piece.first * width : 0);
    const auto bytes = width * (steps_ ? piece.steps : 1);
    std::memcpy(to_, from, static_cast<std::size_t>(bytes));
    to_ += bytes;
  }
  const Tensor& tensor() const { return joined_; }

 private:
  Shape inner(const Tensor& x) const { return x.shape().sub(steps_ ? 1 : 0, x.rank()); }

  void begin(const Tensor& x) {
    const auto batch = static_cast<std::int64_t>(pieces_.size());
    joined_ = steps_ ? rows::make(mask_.shape() + inner(x), x.dtype(), mask_)
                     : rows::make(Shape{batch} + inner(x), x.dtype());
    to_ = joined_.impl().storage.data();
  }

  void check(const Tensor& x, const Piece& piece) const {
    if (!x.defined() || x.is_meta() || x.has_mask() || (steps_ && x.rank() == 0)) {
      fail<ShapeError>(in_dataset_from_callback,
                       "sequence {}: {} is {}; expected a tensor {} without a mask", piece.sample,
                       name_, x.describe(), steps_ ? "[steps, ...]" : "[...]");
    }
    if (!joined_.defined()) return;
    const Shape expected = joined_.shape().sub(steps_ ? 2 : 1, joined_.rank());
    if (x.dtype() == joined_.dtype() && inner(x) == expected) return;
    fail<ShapeError>(in_dataset_from_callback,
                     "sequence {}: {} is {}; expected {}{} as in the sequences before; give every "
                     "sequence the same type and axes",
                     piece.sample, name_, x.describe(), maskgrad::name(joined_.dtype()),
                     steps_ ? Shape{any} + expected : expected);
  }

  std::string name_;
  std::span<const Piece> pieces_;
  Mask mask_;
  bool steps_;
  std::size_t count_ = 0;
  Tensor joined_;
  std::byte* to_ = nullptr;
};

}  // namespace

CallbackSource::CallbackSource(CallbackOptions options) : options_(std::move(options)) {
  if (!options_.sample)
    fail<OptionError>(in_dataset_from_callback, "no function was given; set .sample");
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < options_.lengths.size(); ++i) {
    const auto length = options_.lengths[i];
    if (length < 0) {
      fail<ShapeError>(in_dataset_from_callback,
                       "sequence {} has length {}; expected 0 or more steps", i, length);
    }
    if (length > checked::most - sum) {
      fail<ShapeError>(in_dataset_from_callback,
                       "sequence {} has length {}, and those before {} steps; expected at most {} "
                       "steps in all",
                       i, length, sum, checked::most + 0);
    }
    sum += length;
  }
}

bool CallbackSource::has_steps(std::size_t input) const {
  const auto& whole = options_.whole_inputs;
  return std::find(whole.begin(), whole.end(), static_cast<std::int64_t>(input)) == whole.end();
}

SequenceData CallbackSource::sample(const Piece& piece) const {
  SequenceData s = options_.sample(piece.sample);
  const auto length = this->length(piece.sample);
  const auto check = [&](const Tensor& x, const std::string& name) {
    if (!x.defined() || x.rank() == 0 || x.shape()[0] == length) return;
    fail<ShapeError>(in_dataset_from_callback,
                     "sequence {}: {} is {}; expected {} steps, its length; give every step, or "
                     "say in the options that it has one value a sequence",
                     piece.sample, name, x.describe(), length);
  };
  for (std::size_t i = 0; i < s.inputs.size(); ++i) {
    if (has_steps(i)) check(s.inputs[i], fmt::format("input {}", i));
  }
  if (options_.target_steps) check(s.target, "the target");
  if (options_.weight_steps) check(s.weight, "the weight");
  return s;
}

Batch CallbackSource::read(std::span<const Piece> pieces) const {
  const NoGrad no_grad;
  std::lock_guard lock(one_at_a_time_);
  std::vector<std::int64_t> lengths;
  for (const auto& p : pieces) lengths.push_back(p.steps);
  const Mask mask = masks::from_lengths(lengths, any, "Dataset");
  std::vector<Joined> inputs, target, weight;
  for (std::size_t k = 0; k < pieces.size(); ++k) {
    const SequenceData s = sample(pieces[k]);
    if (k == 0) {
      for (std::size_t i = 0; i < s.inputs.size(); ++i) {
        inputs.emplace_back(fmt::format("input {}", i), pieces, mask, has_steps(i));
      }
      if (s.target.defined())
        target.emplace_back("the target", pieces, mask, options_.target_steps);
      if (s.weight.defined())
        weight.emplace_back("the weight", pieces, mask, options_.weight_steps);
    }
    if (s.inputs.size() != inputs.size() || s.target.defined() == target.empty() ||
        s.weight.defined() == weight.empty()) {
      fail<ShapeError>(in_dataset_from_callback,
                       "sequence {} has {} inputs, {} target and {} weight, sequence {} {}, {} and "
                       "{}; give every sequence the same",
                       pieces[k].sample, s.inputs.size(), s.target.defined() ? 1 : 0,
                       s.weight.defined() ? 1 : 0, pieces[0].sample, inputs.size(), target.size(),
                       weight.size());
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].add(s.inputs[i]);
    for (auto& t : target) t.add(s.target);
    for (auto& w : weight) w.add(s.weight);
  }
  Batch batch;
  for (const auto& x : inputs) batch.inputs.push_back(x.tensor());
  for (const auto& t : target) batch.target = t.tensor();
  for (const auto& w : weight) batch.weight = w.tensor();
  return batch;
}

}  // namespace maskgrad::data
