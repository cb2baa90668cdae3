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
class GradientTree {
 public:
  /// Those that are trained.
  explicit GradientTree(const std::vector<Parameter>& parameters);

  /// Runs backward on the loss's sums. A shard may be of several parts, one after the other.
  void add_part(const Loss& loss);
  /// The shard is over.
  void end_shard();
  /// Which parameters got a gradient, a char each: '1' or '0'.
  const std::string& reached() const { return reached_; }
  std::int64_t terms() const { return terms_; }
  /// Adds up all ranks. `terms` of the loss, which a rank without rows has not seen.
  void reduce(const Communicator& communicator, ReductionOrder order, std::int64_t terms);
  /// Sets the gradients of what was reached on any rank: each term's sums times its factor.
  void set(const std::vector<double>& factors, double count, const std::string& reached);

 private:
  struct Subtree {
    int height;
    TermGradients sums;
  };
  template <class T>
  void sum_over(const Communicator& communicator, ReductionOrder order);

  std::vector<Parameter> parameters_;
  std::int64_t terms_ = 0;
  std::string reached_;
  TermGradients shard_;
  std::vector<Subtree> subtrees_;  ///< from the left, each higher than the next
};

}  // namespace maskgrad::detail
