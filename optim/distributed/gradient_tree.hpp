#pragma once

#include <vector>

#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/layers/losses/loss.hpp>
#include <maskgrad/optim/distributed/rank_options.hpp>

namespace maskgrad::detail {

/// The gradients of each term of a loss with respect to each parameter; undefined where nothing
/// reached it.
using TermGradients = std::vector<std::vector<Tensor>>;

/// Adds the gradients of a step's shards in a binary tree, over the shards of this rank and then
/// over the ranks. What a shard does not reach counts as 0, and a sum that is 0 is always +0,
/// so that shards without rows can be left out.
///   Of a loss with one term the sums are multiplied by its factor behind the tree. Of several terms
/// each shard's sums are kept until the counts of all ranks are known, and become one: so no more
/// than one gradient travels.
class GradientTree {
 public:
  /// Those that are trained.
  explicit GradientTree(const std::vector<Parameter>& parameters);

  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Adds the gradients of the loss's sums with respect to `targets`, one for each parameter, to
  /// those of a shard, which may be of several parts, one after the other.
  void add_part(const Loss& loss, const std::vector<Tensor>& targets, TermGradients& shard);
  /// The same of one of so many terms, by gradients that the targets hold, which let go of them.
  void take(std::size_t term, std::size_t terms, const std::vector<Tensor>& targets,
            TermGradients& shard);
  /// The next shard is over.
  void end_shard(TermGradients shard);
  /// Which parameters got a gradient, a char each: '1' or '0'.
  const std::string& reached() const { return reached_; }
  /// Adds up all ranks, each term times its factor, and sets the gradients of what was reached on
  /// any rank. A rank without rows has seen no term.
  void finish(const Communicator& communicator, ReductionOrder order,
              const std::vector<double>& factors, double count, const std::string& reached);

 private:
  using Gradients = std::vector<Tensor>;
  struct Subtree {
    int height;
    Gradients sums;
  };
  void check_terms(std::size_t terms);
  void add_leaf(Gradients leaf);
  void add_term(Gradients part, Gradients& to);
  Gradients joined(const TermGradients& terms, const std::vector<double>& factors) const;
  Gradients reduce(const Communicator& communicator, ReductionOrder order);
  template <class T>
  void sum_over(const Communicator& communicator, ReductionOrder order, Gradients& all) const;
  void set(const Gradients& sums, double factor, double count, const std::string& reached) const;

  std::vector<Parameter> parameters_;
  std::size_t terms_ = 0;
  std::string reached_;
  std::vector<TermGradients> kept_;  ///< shards whose terms are not one yet
  std::vector<Subtree> subtrees_;    ///< from the left, each higher than the next
};

}  // namespace maskgrad::detail
