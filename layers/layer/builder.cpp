#include <maskgrad/layers/layer/builder.hpp>

#include <utility>

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/layers/layer/visit.hpp>

namespace maskgrad {
namespace {

thread_local Builder* running = nullptr;
thread_local Seed default_seed = {};
thread_local std::uint64_t built_by_default = 0;
thread_local detail::WeightWatch* watch = nullptr;

}  // namespace

detail::WeightWatch::WeightWatch() : before_(std::exchange(watch, this)) {}
detail::WeightWatch::~WeightWatch() {
  watch = before_;
}

Builder::Builder(Seed seed, DType dtype, const LayerInfo* root)
    : seed_(seed), dtype_(dtype), root_(root), before_(std::exchange(running, this)) {}

Builder::~Builder() {
  running = before_;
}

Builder* Builder::current() {
  return running;
}

void Builder::place(LayerInfo* info, const std::string& path) {
  taken_.insert(path);
  if (!info) return;
  info->path = path;
  info->placed = true;
}

void Builder::place(LayerInfo& info) {
  const auto* layer = extend::LayerScope::current();
  const bool in_root = root_ && layer && layer->path() == root_->path;
  const std::string outer = in_root ? inside(*root_) : std::string(layer ? layer->path() : "");
  const std::string first = detail::join_path(outer, info.name);
  std::string path = first;
  for (int n = 1; taken_.count(path) > 0; ++n) path = first + "_" + std::to_string(n);
  place(&info, path);
}

std::string Builder::inside(const LayerInfo& info) const {
  return &info == root_ && !info.named && !before_ ? std::string() : info.path;
}

void Builder::done() const {
  if (!before_) detail::begin_thread_noise();
}

Seed Builder::layer_seed() const {
  const auto* layer = extend::LayerScope::current();
  return layer ? seed_.of(layer->path()) : seed_;
}

Parameter Builder::weight(std::string_view name, const Shape& shape, const Initializer& initializer,
                          bool trainable) {
  if (shape.has_any()) {
    fail<ShapeError>("build",
                     "the weight '{}' would have shape {}; the input's specification must "
                     "give the size of its last axis (features)",
                     name, shape);
  }
  const auto* layer = extend::LayerScope::current();
  std::string path = layer ? std::string(layer->path()) + "/" : std::string();
  path += name;
  if (watch) {
    if (const Parameter other = watch->instead(path, shape); other.defined()) return other;
  }
  const Parameter made(initializer.make(shape, seed_.of(path), dtype_), path, trainable);
  if (watch) watch->made(path, made);
  return made;
}

Seed detail::next_default_seed() {
  if (running) return running->seed();
  const auto n = built_by_default++;
  return n == 0 ? default_seed : default_seed.of("model").of(n);
}

void set_default_seed(Seed seed) {
  default_seed = seed;
  built_by_default = 0;
}

}  // namespace maskgrad
