#pragma once

#include <functional>
#include <vector>

#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/layers/initializer.hpp>

namespace maskgrad {

/// Makes the weights of the layers that are called while one lives. If it ends without `keep`, what
/// it made is taken back, so that a failed build leaves a model as it was.
class Builder {
 public:
  Builder(Seed seed, DType dtype);
  ~Builder();
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  /// The one that runs in this thread; null where none does.
  static Builder* current();
  /// A weight of the running layer; its numbers depend on the seed and the weight's path alone.
  Parameter weight(std::string_view name, const Shape& shape, const Initializer& initializer,
                   bool trainable = true);
  /// The seed of the running layer, for noise.
  Seed layer_seed() const;
  DType dtype() const { return dtype_; }
  /// The seed of the whole build.
  Seed seed() const { return seed_; }
  void undo_later(std::function<void()> undo) { undo_.push_back(std::move(undo)); }
  void keep() { undo_.clear(); }

 private:
  Seed seed_;
  DType dtype_;
  Builder* before_;
  std::vector<std::function<void()>> undo_;
};

}  // namespace maskgrad
