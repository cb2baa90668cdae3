#include <maskgrad/layers/builder.hpp>

#include <utility>

#include <maskgrad/core/context.hpp>

namespace maskgrad {
namespace {
thread_local Builder* running = nullptr;
}

Builder::Builder(Seed seed, DType dtype)
    : seed_(seed), dtype_(dtype), before_(std::exchange(running, this)) {}

Builder::~Builder() {
  for (auto& undo : undo_) undo();
  running = before_;
}

Builder* Builder::current() {
  return running;
}

Seed Builder::layer_seed() const {
  const auto* layer = LayerScope::current();
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
  const auto* layer = LayerScope::current();
  std::string path = layer ? std::string(layer->path()) + "/" : std::string();
  path += name;
  return Parameter(initializer.make(shape, seed_.of(path), dtype_), path, trainable);
}

}  // namespace maskgrad
