#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <maskgrad/autograd/tape.hpp>

namespace maskgrad::tape {

/// The nodes behind some tensors, held for one backward: another thread that reaches one of them
/// waits. All are taken at once or none, so that threads do not wait for each other in a circle.
/// A backward inside a backward of the same thread shares what that one holds.
class Claim {
 public:
  /// GradError where a part was already used and let go.
  /// Nodes before `first` are left alone.
  explicit Claim(std::span<const Tensor> roots, std::uint64_t first = 0);
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  /// Later ones first.
  const std::vector<Ref<Node>>& order() const { return order_; }

 private:
  bool held_here(const Node& node) const;
  bool held_elsewhere(const Node& node) const;
  bool take(Node* node, std::uint64_t visit, std::string_view by);
  bool reach(std::span<const Tensor> roots);

  Claim* outer_;  ///< of the backward inside which this one runs
  std::uint64_t first_;
  std::uint64_t ticket_ = 0;
  std::vector<Ref<Node>> order_;
};

}  // namespace maskgrad::tape
