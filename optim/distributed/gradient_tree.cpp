#include <maskgrad/optim/distributed/gradient_tree.hpp>

#include <algorithm>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/rows.hpp>
#include <maskgrad/optim/distributed/transport.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view in_gradient_tree = "ShardedStep";

template <class T>
std::span<T> all_of(extend::Pooled<T>& values) {
  return {values.data(), static_cast<std::size_t>(values.size())};
}

template <class T>
void sum_over(const Communicator& communicator, ReductionOrder order, extend::Pooled<T>& values) {
  if (values.empty() || communicator.size() == 1) return;
  const auto all = all_of(values);
  if (order == ReductionOrder::fastest && communicator.transport().sum(all)) return;
  communicator.sum(all);
}

}  // namespace

void FlatGradients::make_zeros(std::int64_t n32, std::int64_t n64) {
  f32 = extend::Pooled<float>(n32);
  f64 = extend::Pooled<double>(n64);
  std::fill(f32.begin(), f32.end(), 0.0f);
  std::fill(f64.begin(), f64.end(), 0.0);
}

void FlatGradients::add(const FlatGradients& more) {
  kernels::add_to<float>(more.f32, all_of(f32));
  kernels::add_to<double>(more.f64, all_of(f64));
}

GradientTree::GradientTree(const std::vector<Parameter>& parameters)
    : parameters_(trainable(distinct(parameters))), reached_(parameters_.size(), '0') {
  for (const auto& p : parameters_) {
    if (p.grad_value().defined()) {
      fail<GradError>(in_gradient_tree,
                      "parameter '{}' holds a gradient already; call clear_grad() or step() first",
                      p.name());
    }
    auto& at = p.dtype() == DType::f64 ? f64_ : f32_;
    const auto size = p.shape().count();
    places_.push_back({p.dtype(), at, size});
    at += size;
  }
}

template <class T>
void GradientTree::gather(extend::Pooled<T>& all, std::int64_t a_term, std::int64_t term) {
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    const Place& place = places_[k];
    if (place.dtype != dtype_of<T>()) continue;
    const Tensor& g = parameters_[k].grad_value();
    if (!g.defined()) continue;
    reached_[k] = '1';
    const std::span<T> to(all.data() + term * a_term + place.at,
                          static_cast<std::size_t>(place.size));
    kernels::add_to<T>(rows::of<T>(g), to);  // to 0, so that -0 becomes +0
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
  if (shard_.empty()) shard_.make_zeros(terms * f32_, terms * f64_);
  const NoGrad no_grad;
  for (std::int64_t i = 0; i < terms; ++i) {
    const Tensor& sum = loss.terms()[static_cast<std::size_t>(i)].sum;
    if (sum.on_tape()) {
      const Tensor one = scalar(1, sum.dtype());
      tape::backward({&sum, 1}, {&one, 1}, {.retain = i + 1 < terms});
    }
    gather(shard_.f32, f32_, i);
    gather(shard_.f64, f64_, i);
    for (const auto& p : parameters_) p.clear_grad();
  }
}

void GradientTree::end_shard() {
  // One without rows has no values: it is 0, and stands in the tree all the same.
  subtrees_.push_back({0, std::exchange(shard_, {})});
  while (subtrees_.size() > 1 &&
         subtrees_[subtrees_.size() - 2].height == subtrees_.back().height) {
    Subtree right = std::move(subtrees_.back());
    subtrees_.pop_back();
    Subtree& left = subtrees_.back();
    ++left.height;
    if (left.sums.empty()) {
      left.sums = std::move(right.sums);
    } else if (!right.sums.empty()) {
      left.sums.add(right.sums);
    }
  }
}

void GradientTree::reduce(const Communicator& communicator, ReductionOrder order,
                          std::int64_t terms) {
  FlatGradients all;
  for (auto subtree = subtrees_.rbegin(); subtree != subtrees_.rend(); ++subtree) {
    if (subtree->sums.empty()) continue;
    if (!all.empty()) subtree->sums.add(all);
    all = std::move(subtree->sums);
  }
  if (all.empty()) all.make_zeros(terms * f32_, terms * f64_);
  sum_over(communicator, order, all.f32);
  sum_over(communicator, order, all.f64);
  subtrees_.clear();
  shard_ = std::move(all);
  terms_ = terms;
}

template <class T>
Tensor GradientTree::gradient(const extend::Pooled<T>& all, std::int64_t a_term, std::size_t k,
                              const std::vector<double>& factors) const {
  const Place& place = places_[k];
  const Tensor made = rows::make_zeros(parameters_[k].shape(), place.dtype);
  const auto to = rows::of_mutable<T>(made);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (factors[i] == 0) continue;  // nothing is read: NaN may stand there
    const T* from = all.data() + static_cast<std::int64_t>(i) * a_term + place.at;
    const T factor = static_cast<T>(factors[i]);
    kernels::over_parts(place.size, [&](std::int64_t at, std::int64_t end) {
      for (; at < end; ++at) to[static_cast<std::size_t>(at)] += from[at] * factor;
    });
  }
  return made;
}

void GradientTree::set(const std::vector<double>& factors, double count,
                       const std::string& reached) {
  const NoGrad no_grad;
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    if (reached[k] != '1') continue;
    parameters_[k].set_grad(places_[k].dtype == DType::f64 ? gradient(shard_.f64, f64_, k, factors)
                                                           : gradient(shard_.f32, f32_, k, factors),
                            count);
  }
  shard_ = {};
}

}  // namespace maskgrad::detail
