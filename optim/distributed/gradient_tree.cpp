#include <maskgrad/optim/distributed/gradient_tree.hpp>

#include <algorithm>
#include <utility>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/pooled.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/distributed/transport.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view in_gradient_tree = "ShardedStep";

/// a += b, in place where nobody else holds a; either may be undefined, which is 0.
void add_tensor(Tensor& a, const Tensor& b) {
  if (!b.defined()) return;
  if (!a.defined()) {
    a = b;
    return;
  }
  if (!a.impl().storage.unique() || a.impl().handles() != 1) {
    a = a + b;
    return;
  }
  extend::dispatch_real(in_gradient_tree, a.dtype(), [&]<class T>() {
    kernels::add_to<T>(rows::of<T>(b), rows::of_mutable<T>(a));
  });
}

void add_gradients(std::vector<Tensor>& all, std::vector<Tensor> more) {
  if (all.empty()) {
    all = std::move(more);
    return;
  }
  for (std::size_t k = 0; k < more.size(); ++k) add_tensor(all[k], more[k]);
}

/// to += from factor, to 0 at first, so that -0 becomes +0.
void add_scaled(const Tensor& to, const Tensor& from, double factor) {
  extend::dispatch_real(in_gradient_tree, to.dtype(), [&]<class T>() {
    const auto sums = rows::of_mutable<T>(to);
    const auto values = rows::of<T>(from);
    const T f = static_cast<T>(factor);
    kernels::over_parts(to.shape().count(), [&](std::int64_t at, std::int64_t end) {
      for (auto n = static_cast<std::size_t>(at); n < static_cast<std::size_t>(end); ++n) {
        sums[n] += values[n] * f;
      }
    });
  });
}

}  // namespace

GradientTree::GradientTree(const std::vector<Parameter>& parameters)
    : parameters_(trainable(distinct(parameters))), reached_(parameters_.size(), '0') {
  for (const auto& p : parameters_) {
    if (!p.grad_value().defined()) continue;
    fail<GradError>(in_gradient_tree,
                    "parameter '{}' holds a gradient already; call clear_grad() or step() first",
                    p.name());
  }
}

void GradientTree::check_terms(std::size_t terms) {
  if (terms_ != 0 && terms_ != terms) {
    fail<GradError>(in_gradient_tree,
                    "a shard has {} terms, an earlier one has {}; expected the same loss for each",
                    terms, terms_);
  }
}

void GradientTree::add_term(Gradients part, Gradients& to) {
  for (std::size_t k = 0; k < part.size(); ++k) {
    if (part[k].defined()) reached_[k] = '1';
  }
  add_gradients(to, std::move(part));
}

void GradientTree::add_part(const Loss& loss, const std::vector<Tensor>& targets,
                            TermGradients& shard) {
  const auto terms = loss.terms().size();
  check_terms(terms);
  loss.value();  // refuses the reduction `none` before anything changes
  terms_ = terms;
  const NoGrad no_grad;
  shard.resize(terms);
  for (std::size_t i = 0; i < terms; ++i) {
    const Tensor& sum = loss.terms()[i].sum;
    if (!sum.on_tape() || targets.empty()) continue;
    const Tensor one = scalar(1, sum.dtype());
    add_term(tape::gradients({&sum, 1}, {&one, 1}, targets, {.retain = i + 1 < terms}), shard[i]);
  }
}

void GradientTree::take(std::size_t term, std::size_t terms, const std::vector<Tensor>& targets,
                        TermGradients& shard) {
  check_terms(terms);
  terms_ = terms;
  const NoGrad no_grad;
  shard.resize(terms);
  Gradients part;
  for (const Tensor& target : targets) {
    const Tensor gradient = target.grad();
    part.push_back(gradient.defined() ? gradient.value() : gradient);
    target.clear_grad();
  }
  add_term(std::move(part), shard[term]);
}

void GradientTree::end_shard(TermGradients shard) {
  kept_.push_back(std::move(shard));
  if (terms_ != 1) return;
  for (auto& each : kept_) add_leaf(each.empty() ? Gradients() : std::move(each[0]));
  kept_.clear();
}

/// One without rows has no values: it is 0, and stands in the tree all the same.
void GradientTree::add_leaf(Gradients leaf) {
  const NoGrad no_grad;
  subtrees_.push_back({0, std::move(leaf)});
  while (subtrees_.size() > 1 &&
         subtrees_[subtrees_.size() - 2].height == subtrees_.back().height) {
    Subtree right = std::move(subtrees_.back());
    subtrees_.pop_back();
    ++subtrees_.back().height;
    add_gradients(subtrees_.back().sums, std::move(right.sums));
  }
}

GradientTree::Gradients GradientTree::joined(const TermGradients& terms,
                                             const std::vector<double>& factors) const {
  Gradients all;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (factors[i] == 0) continue;  // nothing is read: NaN may stand there
    all.resize(parameters_.size());
    for (std::size_t k = 0; k < terms[i].size(); ++k) {
      if (!terms[i][k].defined()) continue;
      if (!all[k].defined())
        all[k] = rows::make_zeros(parameters_[k].shape(), parameters_[k].dtype());
      add_scaled(all[k], terms[i][k], factors[i]);
    }
  }
  return all;
}

void GradientTree::finish(const Communicator& communicator, ReductionOrder order,
                          const std::vector<double>& factors, double count,
                          const std::string& reached) {
  const NoGrad no_grad;
  for (auto& each : std::exchange(kept_, {})) {
    const bool one = factors.size() == 1 && !each.empty();
    add_leaf(one ? std::move(each[0]) : joined(each, factors));
  }
  terms_ = 0;
  const Gradients sums = reduce(communicator, order);
  set(sums, factors.size() == 1 ? factors[0] : 1, count, reached);
}

GradientTree::Gradients GradientTree::reduce(const Communicator& communicator,
                                             ReductionOrder order) {
  Gradients all;
  for (auto subtree = subtrees_.rbegin(); subtree != subtrees_.rend(); ++subtree) {
    add_gradients(subtree->sums, std::move(all));
    all = std::move(subtree->sums);
  }
  subtrees_.clear();
  all.resize(parameters_.size());
  if (communicator.size() == 1) return all;
  sum_over<float>(communicator, order, all);
  sum_over<double>(communicator, order, all);
  return all;
}

/// All values of the type in one row, over the ranks and back.
template <class T>
void GradientTree::sum_over(const Communicator& communicator, ReductionOrder order,
                            Gradients& all) const {
  std::int64_t size = 0;
  for (const auto& p : parameters_) size += p.dtype() == dtype_of<T>() ? p.shape().count() : 0;
  if (size == 0) return;
  extend::Pooled<T> flat(size);
  const auto each = [&](auto&& f) {
    T* at = flat.data();
    for (std::size_t k = 0; k < parameters_.size(); ++k) {
      if (parameters_[k].dtype() != dtype_of<T>()) continue;
      const auto own = static_cast<std::size_t>(parameters_[k].shape().count());
      f(k, std::span<T>(at, own));
      at += own;
    }
  };
  each([&](std::size_t k, std::span<T> to) {
    if (!all[k].defined()) return std::fill(to.begin(), to.end(), T(0)), void();
    const auto from = rows::of<T>(all[k]);
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i] + T(0);  // -0 becomes +0
  });
  const std::span<T> values(flat.data(), static_cast<std::size_t>(flat.size()));
  if (order != ReductionOrder::fastest || !communicator.transport().sum(values)) {
    communicator.sum(values);
  }
  each([&](std::size_t k, std::span<T> from) {
    all[k] = rows::make(parameters_[k].shape(), dtype_of<T>());
    std::copy(from.begin(), from.end(), rows::of_mutable<T>(all[k]).begin());
  });
}

void GradientTree::set(const Gradients& sums, double factor, double count,
                       const std::string& reached) const {
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    if (reached[k] != '1') continue;
    const Parameter& p = parameters_[k];
    const Tensor made = rows::make_zeros(p.shape(), p.dtype());
    if (factor != 0 && sums[k].defined()) add_scaled(made, sums[k], factor);
    p.set_grad(made, count);
  }
}

}  // namespace maskgrad::detail
