#include <maskgrad/optim/accumulate.hpp>

#include <algorithm>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view in_accumulate = "Accumulate";

/// a + b, either of which may be empty.
Tensor plus(const Tensor& a, const Tensor& b) {
  if (!a.defined()) return b;
  return b.defined() ? a + b : a;
}

void check_same(const std::vector<Loss::Term>& terms, const Loss::Term& known, std::size_t i,
                std::size_t count) {
  if (terms.size() == count && terms[i].name == known.name && terms[i].scale == known.scale &&
      terms[i].reduction == known.reduction) {
    return;
  }
  fail<GradError>(in_accumulate,
                  "a part has {} terms (term {} is '{}' times {}), an earlier one has {} ('{}' "
                  "times {}); expected the same loss for each part",
                  terms.size(), i, i < terms.size() ? terms[i].name : "missing",
                  i < terms.size() ? terms[i].scale : 0, count, known.name, known.scale);
}

}  // namespace

Accumulate::Accumulate(std::vector<Parameter> parameters)
    : parameters_(detail::distinct(std::move(parameters))), noise_(parameters_) {
  for (const auto& p : parameters_) {
    if (p.grad_value().defined()) {
      fail<GradError>(in_accumulate,
                      "parameter '{}' holds a gradient already; call clear_grad() or step() "
                      "first",
                      p.name());
    }
  }
}

void Accumulate::add(const Loss& loss) {
  const auto& terms = loss.terms();
  if (parts_.empty()) {
    for (const auto& t : terms) {
      parts_.push_back({t, 0, std::vector<Tensor>(parameters_.size())});
      parts_.back().term.count = 0;
      parts_.back().term.sum = {};
    }
  }
  for (std::size_t i = 0; i < std::max(parts_.size(), terms.size()); ++i) {
    check_same(terms, parts_[std::min(i, parts_.size() - 1)].term, i, parts_.size());
  }
  loss.value();  // refuses the reduction `none` before anything changes
  const NoGrad no_grad;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const auto& t = terms[i];
    if (t.sum.on_tape()) {
      const Tensor one = scalar(1, t.sum.dtype());
      tape::backward({&t.sum, 1}, {&one, 1}, {.retain = i + 1 < terms.size()});
    }
    auto& part = parts_[i];
    part.sum += t.sum.item();
    part.term.count += t.count;
    for (std::size_t k = 0; k < parameters_.size(); ++k) {
      part.grads[k] = plus(part.grads[k], parameters_[k].grad_value());
      parameters_[k].clear_grad();
    }
  }
  noise_.next(loss.sequences());
}

Accumulate::Total Accumulate::finish() {
  if (parts_.empty()) fail<GradError>(in_accumulate, "finish without a part; call add(loss) first");
  const NoGrad no_grad;
  Total total{0, parts_.front().term.count};
  double count = 0;
  for (const auto& part : parts_) {
    const double factor = part.term.factor(part.term.count);
    if (factor != 0) total.value += part.sum * factor;
    count += part.term.count;
  }
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    Tensor grad;
    for (const auto& part : parts_) {
      if (!part.grads[k].defined()) continue;
      // A factor of 0 reads nothing: NaN may stand there.
      const double factor = part.term.factor(part.term.count);
      const Tensor& own = part.grads[k];
      grad = plus(grad, factor == 0 ? zeros(own.shape(), own.dtype()) : own * factor);
    }
    if (grad.defined()) parameters_[k].set_grad(grad, count);
  }
  parts_.clear();
  noise_.end();
  return total;
}

}  // namespace maskgrad
