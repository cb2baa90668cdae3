#pragma once

#include <set>
#include <string>

#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/layers/layer/initializer.hpp>

namespace maskgrad {

struct LayerInfo;

/// Makes the weights of the layers that are called while one lives.
class Builder {
 public:
  /// `root` is the model's own, where it is a layer.
  Builder(Seed seed, DType dtype, const LayerInfo* root = nullptr);
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

  /// `path` is taken, by `info` if that is a layer.
  void place(LayerInfo* info, const std::string& path);
  /// Gives a layer that nobody has placed a path that is free, inside the running layer.
  void place(LayerInfo& info);
  /// What the paths of the layers inside that layer begin with.
  std::string inside(const LayerInfo& info) const;
  /// All went well: the thread's noise begins anew.
  void done() const;

 private:
  Seed seed_;
  DType dtype_;
  const LayerInfo* root_;
  Builder* before_;
  std::set<std::string> taken_;
};

namespace detail {
/// The seed of a build that is given none: that of the build which is running in this thread, else
/// for each model another one, in the order in which the thread builds them. So a program that
/// builds the same models in the same order gets the same weights.
Seed next_default_seed();
}  // namespace detail

/// Models that are built without a seed from now on, in this thread, get the seeds that follow from
/// this one, which is {} at first.
void set_default_seed(Seed seed = {});

namespace detail {

/// Who watches the builds of a thread while it lives, as a file does whose weights come next.
class WeightWatch {
 public:
  WeightWatch();
  virtual ~WeightWatch();
  WeightWatch(const WeightWatch&) = delete;
  WeightWatch& operator=(const WeightWatch&) = delete;

  /// Before a weight is made: may refuse it, or give one that is taken in its place.
  virtual Parameter instead(const std::string& path, const Shape& shape) = 0;
  virtual void made(const std::string& path, const Parameter& weight) = 0;

 private:
  WeightWatch* before_;
};

}  // namespace detail
}  // namespace maskgrad
