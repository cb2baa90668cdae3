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

void add_gradients(TermGradients& all, TermGradients more) {
  if (all.empty()) {
    all = std::move(more);
    return;
  }
  for (std::size_t i = 0; i < more.size(); ++i) {
    for (std::size_t k = 0; k < more[i].size(); ++k) add_tensor(all[i][k], more[i][k]);
  }
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

void GradientTree::add_part(const Loss& loss) {
  const auto terms = static_cast<std::int64_t>(loss.terms().size());
  if (terms_ != 0 && terms_ != terms) {
    fail<GradError>(in_gradient_tree,
                    "a shard has {} terms, an earlier one has {}; expected the same loss for each",
                    terms, terms_);
  }
  loss.value();  // refuses the reduction `none` before anything changes
  terms_ = terms;
  const NoGrad no_grad;
  TermGradients part(static_cast<std::size_t>(terms));
  for (std::int64_t i = 0; i < terms; ++i) {
    const Tensor& sum = loss.terms()[static_cast<std::size_t>(i)].sum;
    if (sum.on_tape()) {
      const Tensor one = scalar(1, sum.dtype());
      tape::backward({&sum, 1}, {&one, 1}, {.retain = i + 1 < terms});
    }
    for (std::size_t k = 0; k < parameters_.size(); ++k) {
      part[static_cast<std::size_t>(i)].push_back(parameters_[k].grad_value());
      if (parameters_[k].grad_value().defined()) reached_[k] = '1';
      parameters_[k].clear_grad();
    }
  }
  add_gradients(shard_, std::move(part));
}

void GradientTree::end_shard() {
  // One without rows has no values: it is 0, and stands in the tree all the same.
  const NoGrad no_grad;
  subtrees_.push_back({0, std::exchange(shard_, {})});
  while (subtrees_.size() > 1 &&
         subtrees_[subtrees_.size() - 2].height == subtrees_.back().height) {
    Subtree right = std::move(subtrees_.back());
    subtrees_.pop_back();
    ++subtrees_.back().height;
    add_gradients(subtrees_.back().sums, std::move(right.sums));
  }
}

void GradientTree::reduce(const Communicator& communicator, ReductionOrder order,
                          std::int64_t terms) {
  const NoGrad no_grad;
  TermGradients all;
  for (auto subtree = subtrees_.rbegin(); subtree != subtrees_.rend(); ++subtree) {
    add_gradients(subtree->sums, std::move(all));
    all = std::move(subtree->sums);
  }
  subtrees_.clear();
  shard_ = std::move(all);
  terms_ = terms;
  if (communicator.size() == 1) return;
  shard_.resize(static_cast<std::size_t>(terms));
  for (auto& term : shard_) term.resize(parameters_.size());
  sum_over<float>(communicator, order);
  sum_over<double>(communicator, order);
}

/// All values of the type in one row, over the ranks and back.
template <class T>
void GradientTree::sum_over(const Communicator& communicator, ReductionOrder order) {
  std::int64_t a_term = 0;
  for (const auto& p : parameters_) a_term += p.dtype() == dtype_of<T>() ? p.shape().count() : 0;
  if (a_term == 0) return;
  extend::Pooled<T> flat(a_term * terms_);
  const auto each = [&](auto&& f) {
    T* at = flat.data();
    for (auto& term : shard_) {
      for (std::size_t k = 0; k < parameters_.size(); ++k) {
        if (parameters_[k].dtype() != dtype_of<T>()) continue;
        const auto size = parameters_[k].shape().count();
        f(term[k], k, std::span<T>(at, static_cast<std::size_t>(size)));
        at += size;
      }
    }
  };
  each([](const Tensor& x, std::size_t, std::span<T> to) {
    if (!x.defined()) return std::fill(to.begin(), to.end(), T(0)), void();
    const auto from = rows::of<T>(x);
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i] + T(0);  // -0 becomes +0
  });
  const std::span<T> values(flat.data(), static_cast<std::size_t>(flat.size()));
  if (order != ReductionOrder::fastest || !communicator.transport().sum(values)) {
    communicator.sum(values);
  }
  each([&](Tensor& x, std::size_t k, std::span<T> from) {
    x = rows::make(parameters_[k].shape(), dtype_of<T>());
    std::copy(from.begin(), from.end(), rows::of_mutable<T>(x).begin());
  });
}

void GradientTree::set(const std::vector<double>& factors, double count,
                       const std::string& reached) {
  const NoGrad no_grad;
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    if (reached[k] != '1') continue;
    const Parameter& p = parameters_[k];
    const Tensor made = rows::make_zeros(p.shape(), p.dtype());
    extend::dispatch_real(in_gradient_tree, p.dtype(), [&]<class T>() {
      const auto to = rows::of_mutable<T>(made);
      for (std::size_t i = 0; i < factors.size(); ++i) {
        const Tensor& sums = shard_[i][k];
        if (factors[i] == 0 || !sums.defined()) continue;  // nothing is read: NaN may stand there
        const auto from = rows::of<T>(sums);
        const T factor = static_cast<T>(factors[i]);
        kernels::over_parts(p.shape().count(), [&](std::int64_t at, std::int64_t end) {
          for (auto n = static_cast<std::size_t>(at); n < static_cast<std::size_t>(end); ++n) {
            to[n] += from[n] * factor;  // to 0, so that -0 becomes +0
          }
        });
      }
    });
    p.set_grad(made, count);
  }
  shard_.clear();
}

}  // namespace maskgrad::detail
