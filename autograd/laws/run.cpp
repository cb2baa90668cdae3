#include <maskgrad/autograd/laws/run.hpp>

#include <algorithm>

#include <maskgrad/autograd/checking.hpp>

namespace maskgrad::laws {
namespace {

bool has_steps(InputKind kind) {
  return kind == InputKind::sequences || kind == InputKind::covered || kind == InputKind::dense;
}

void agree(const LawInput& input, int axis, std::int64_t& size, bool& known) {
  if (input.value.rank() <= axis) {
    fail<ShapeError>("check_mask_laws", "input {} is {}; expected an axis {}", input.name,
                     input.value.describe(), axis);
  }
  const auto own = input.value.shape()[axis];
  if (known && own != size) {
    fail<ShapeError>("check_mask_laws", "input {} is {}; another input has size {} on axis {}",
                     input.name, input.value.describe(), size, axis);
  }
  size = own;
  known = true;
}

template <extend::Element T>
T odd(const Garbage& g) {
  if constexpr (extend::Real<T>) return static_cast<T>(g.real);
  if constexpr (std::is_same_v<T, std::int64_t>) return g.id;
  if constexpr (std::is_same_v<T, bool>) return g.truth;
}

}  // namespace

Subject::Subject(const Callable& f, const std::vector<LawInput>& inputs, const LawOptions& options)
    : f_(f), inputs_(inputs), options_(options) {
  for (const auto& input : inputs) {
    if (input.value.has_mask() || input.value.is_meta() || input.value.dtype() == DType::f32) {
      fail<TypeError>("check_mask_laws", "input {} is {}; expected dense data, reals as f64",
                      input.name, input.value.describe());
    }
    if (input.kind == InputKind::shared) continue;
    agree(input, 0, batch_, has_batch_);
    if (has_steps(input.kind)) agree(input, 1, time_, has_time_);
    has_sequences_ = has_sequences_ || input.kind == InputKind::sequences;
  }
  if (!has_sequences_ || batch_ < 2 || time_ < 2) {
    fail<ShapeError>("check_mask_laws",
                     "data of {} sequences and {} steps; expected an input of kind sequences, with "
                     "2 of each or more",
                     batch_, time_);
  }
}

Mask Subject::mask(const Pattern& p, const Batch& batch, std::size_t i) const {
  const auto n = static_cast<std::int64_t>(batch.sequences.size());
  std::vector<std::uint8_t> bits;
  Shape shape{n};
  if (p.over == MaskOver::samples) {
    for (auto s : batch.sequences) bits.push_back(p.bits[static_cast<std::size_t>(s)]);
  } else {
    const auto inner = p.over == MaskOver::full
                           ? inputs_[i].value.shape().sub(2, inputs_[i].value.rank())
                           : Shape{};
    shape = Shape{n, batch.time} + inner;
    for (auto place : batch.positions) {
      for (std::int64_t k = 0; k < inner.count(); ++k) bits.push_back(valid(p, i, place, k));
    }
  }
  return masks::from_bits(bits, shape, "a pattern of check_mask_laws");
}

bool Subject::unread_result(const Unread& unread, const Tensor& y, const Batch& batch,
                            std::int64_t value) const {
  if (!unread.anything()) return false;
  if (unread.what == Unread::What::row) {
    return y.mask().impl().positions[value / rows::inner(y)] == unread.at;
  }
  const auto n = static_cast<std::int64_t>(batch.sequences.size());
  if (y.shape()[options_.batch_axis] != n) return false;
  const auto index = checking::padded_index(y, value);
  return index[static_cast<std::size_t>(options_.batch_axis)] == unread.at;
}

bool Subject::unread_input(const Unread& unread, const Pattern& p, const Batch& batch,
                           std::size_t i, std::int64_t n, std::int64_t k) const {
  const auto& input = inputs_[i];
  if (!unread.anything() || input.kind == InputKind::shared) return false;
  const auto steps = has_steps(input.kind) ? batch.time : 1;
  if (unread.what == Unread::What::sequence) return n / steps == unread.at;
  if (input.kind != InputKind::sequences) return false;
  if (p.over == MaskOver::samples) return n / steps == unread.at;
  const auto inner = input.value.shape().count(2, input.value.rank());
  return p.over == MaskOver::full ? n * inner + k == unread.at : n == unread.at;
}

Tensor Subject::part(const Pattern& p, const Batch& batch, std::size_t i, bool masked,
                     const Garbage& garbage, const Unread& unread) const {
  const auto kind = inputs_[i].kind;
  const Tensor& value = inputs_[i].value;
  const bool steps = has_steps(kind), spoil = masked && steps && kind != InputKind::dense;
  const auto n = static_cast<std::int64_t>(batch.sequences.size());
  std::vector<std::int64_t> whole{0};
  const auto& positions = steps                        ? batch.positions
                          : kind == InputKind::samples ? batch.sequences
                                                       : whole;
  const int lead = steps ? 2 : kind == InputKind::samples ? 1 : 0;
  const Shape inner = value.shape().sub(lead, value.rank());
  const Shape shape = (steps ? Shape{n, batch.time} : lead ? Shape{n} : Shape{}) + inner;
  const auto values = inner.count();
  const Tensor x = rows::make(shape, is_real(value.dtype()) ? options_.dtype : value.dtype());
  extend::dispatch(value.dtype(), [&]<class From>() {
    auto copy = [&]<class To>() {
      const From* from = rows::of<From>(value).data();
      To* to = rows::of_mutable<To>(x).data();
      for (std::size_t at = 0; at < positions.size(); ++at) {
        const auto place = positions[at];
        for (std::int64_t k = 0; k < values; ++k, ++to) {
          const bool keep = !spoil || valid(p, i, place, k);
          *to = keep ? static_cast<To>(from[place * values + k]) : odd<To>(garbage);
          if (!extend::Real<From> || !keep || !unread.change) continue;
          if (!unread_input(unread, p, batch, i, static_cast<std::int64_t>(at), k)) continue;
          *to = static_cast<To>(unread.change(static_cast<double>(*to)));
        }
      }
    };
    if constexpr (extend::Real<From>) {
      extend::dispatch_real("check_mask_laws", options_.dtype, copy);
    } else {
      copy.template operator()<From>();
    }
  });
  return x;
}

std::vector<std::int64_t> sequence_of_values(const Tensor& y, int axis, std::int64_t sequences) {
  const auto total = static_cast<std::size_t>(rows::total(y));
  if (axis < 0) return std::vector<std::int64_t>(total, 0);
  if (axis >= y.rank() || y.shape()[axis] != sequences) {
    fail<ShapeError>("check_mask_laws",
                     "a result for {} sequences is {}; expected them on its axis {}. Set "
                     "batch_axis, or -1 where there is none",
                     sequences, y.describe(), axis);
  }
  std::vector<std::int64_t> of;
  for (std::size_t i = 0; i < total; ++i) {
    const auto index = checking::padded_index(y, static_cast<std::int64_t>(i));
    of.push_back(index[static_cast<std::size_t>(axis)]);
  }
  return of;
}

/// Random, and the same for a value whatever batch its sequence is in: keyed by the sequence and
/// the value's rank among its own. 0 where the result is unread.
std::vector<Tensor> Subject::weights(const std::vector<Tensor>& results, const Batch& batch,
                                     const Unread& unread) const {
  std::vector<Tensor> all;
  for (std::size_t k = 0; k < results.size(); ++k) {
    const auto& y = results[k];
    if (!is_real(y.dtype())) {
      all.emplace_back();
      continue;
    }
    const auto n = static_cast<std::int64_t>(batch.sequences.size());
    const auto of = sequence_of_values(y, options_.batch_axis, n);
    std::vector<std::uint64_t> rank(batch.sequences.size() + 1);
    all.push_back(checking::like(y, [&](std::int64_t i) {
      const auto s = static_cast<std::size_t>(of[static_cast<std::size_t>(i)]);
      const auto sequence = options_.batch_axis < 0 ? 0 : batch.sequences[s];
      const Seed seed = Seed{11}.of(k).of(static_cast<std::uint64_t>(sequence));
      const double weight = 2 * random::unit_at(seed, rank[s]++) - 1;
      return unread_result(unread, y, batch, i) ? 0 : weight;
    }));
  }
  return all;
}

Outcome Subject::run(const Pattern& pattern, const Batch& batch, bool masked,
                     const Garbage& garbage, const Unread& unread) const {
  std::vector<Tensor> leaves, inputs;
  masked = masked && pattern.over != MaskOver::nothing;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    Tensor x = part(pattern, batch, i, masked, garbage, unread);
    if (is_real(x.dtype())) x = x.with_grad();
    leaves.push_back(x);
    const bool mask_it = masked && inputs_[i].kind == InputKind::sequences;
    inputs.push_back(mask_it ? x.with_mask(mask(pattern, batch, i)) : x);
  }
  for (const auto& v : options_.variables) v.set(v.value, true);
  Outcome out;
  const auto results = f_(inputs);
  for (const auto& y : results) out.results.push_back(y.value());
  checking::pull(results, weights(out.results, batch, unread));
  auto gradient = [](const Tensor& g, const Tensor& of) {
    return g.defined() ? g : rows::make_zeros(of.shape(), of.dtype(), of.mask());
  };
  for (const auto& x : leaves) {
    out.gradients.push_back(x.on_tape() ? gradient(x.grad(), x) : Tensor());
  }
  for (const auto& v : options_.variables) out.variables.push_back(gradient(v.grad(), v.value));
  return out;
}

std::vector<Tensor> Subject::run_without_data(MaskOver over) const {
  const NoGrad no_grad;
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto kind = inputs_[i].kind;
    const Tensor& value = inputs_[i].value;
    if (kind == InputKind::shared) {
      inputs.push_back(part({}, {}, i, false, nothing_odd));
      continue;
    }
    Shape shape = value.shape();
    shape[0] = any;
    if (has_steps(kind)) shape[1] = any;
    Mask mask;
    if (kind == InputKind::sequences && over != MaskOver::nothing) {
      const int axes = over == MaskOver::samples ? 1 : over == MaskOver::steps ? 2 : shape.rank();
      mask = masks::meta(shape.sub(0, axes), "a pattern of check_mask_laws");
    }
    const auto dtype = is_real(value.dtype()) ? options_.dtype : value.dtype();
    inputs.push_back(rows::make_meta(shape, dtype, mask));
  }
  return f_(inputs);
}

}  // namespace maskgrad::laws
