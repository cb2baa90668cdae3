#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <maskgrad/layers/basic/time_distributed.hpp>
#include <maskgrad/layers/keras/loading.hpp>
#include <maskgrad/layers/keras/old_weights.hpp>

namespace maskgrad::detail {
namespace {

// A weight of a layer here, and whether Keras lists it among those that are trained.
struct KerasWeight {
  std::string path;
  Parameter* parameter = nullptr;
  bool trained = true;
};

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return count;
}

std::vector<std::int64_t> axis_sizes(const Shape& shape) {
  std::vector<std::int64_t> sizes;
  for (int i = 0; i < shape.rank(); ++i) sizes.push_back(shape[i]);
  return sizes;
}

// Without axes of size 1.
std::vector<std::int64_t> without_ones(std::vector<std::int64_t> shape) {
  std::erase(shape, 1);
  return shape;
}

class KerasSetter {
 public:
  KerasSetter(const KerasRead& read, bool as_keras, std::vector<std::string>& troubles)
      : read_(read), as_keras_(as_keras), troubles_(troubles) {}

  void model(Functional& made, const KerasModel& model, const std::string& prefix) {
    for (const auto& layer : model.layers) {
      if (layer.operation || layer.class_name == "InputLayer") continue;
      if (layer.class_name == "Normalization" || makes_ids(layer)) continue;
      const std::string name = keras_path_name(as_keras_ ? prefix + layer.name : layer.name);
      if (layer.model && as_keras_) {
        if (const auto* all = read_.weights.find(layer)) {
          listed(layer, *all, [&] { return places(made, *layer.model, name + "."); });
        } else {
          this->model(made, *layer.model, name + ".");
        }
        continue;
      }
      AnyLayer* own = find(made, name);
      if (!own) continue;  // it is not called, or changes nothing
      const auto* all = read_.weights.find(layer);
      Functional* inner = own->as_if<Functional>();
      if (layer.model && inner && !all) {
        this->model(*inner, *layer.model, "");
      } else if (layer.model && inner) {
        listed(layer, *all, [&] { return places(*inner, *layer.model, ""); });
      } else if (Functional* timed = model_in(*own, layer); timed && (!all || all->empty())) {
        this->model(*timed, *layer.inner[0].model, "");
      } else if (timed) {
        listed(layer, *all, [&] { return places(*timed, *layer.inner[0].model, ""); });
      } else {
        leaf(layer, *own, all ? *all : std::vector<const Hdf5Object*>());
      }
    }
  }

 private:
  static AnyLayer* find(Functional& made, const std::string& name) {
    for (std::size_t i = 0; i < made.size(); ++i) {
      AnyLayer& layer = made.layer(static_cast<std::int64_t>(i));
      if (layer.info().name == name) return &layer;
    }
    return nullptr;
  }
  // The model inside of a TimeDistributed.
  static Functional* model_in(AnyLayer& own, const KerasLayer& layer) {
    auto* timed = own.as_if<TimeDistributed>();
    if (!timed || layer.inner.empty() || !layer.inner[0].model) return nullptr;
    Functional* found = nullptr;
    TimeDistributed::each_layer(
        *timed, [&](auto&&, AnyLayer& inner) { found = inner.as_if<Functional>(); });
    return found;
  }

  static std::vector<KerasWeight> places(AnyLayer& own, bool trained) {
    std::vector<KerasWeight> all;
    own.visit(own.info().path, [&](const LayerView& view) {
      for (const auto& [path, parameter] : view.parameters) {
        all.push_back({path, parameter, trained && !parameter->is_state()});
      }
    });
    return all;
  }
  // Of a model's layers, in their order.
  std::vector<KerasWeight> places(Functional& made, const KerasModel& model,
                                  const std::string& prefix) {
    std::vector<KerasWeight> all;
    for (const auto& layer : model.layers) {
      if (layer.model && as_keras_) {
        const auto more = places(made, *layer.model, prefix + layer.name + ".");
        all.insert(all.end(), more.begin(), more.end());
        continue;
      }
      AnyLayer* own = find(made, keras_path_name(prefix + layer.name));
      if (!own || layer.operation) continue;
      Functional* inner = own->as_if<Functional>();
      const auto more =
          layer.model && inner ? places(*inner, *layer.model, "") : places(*own, layer.trainable);
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }
  // A list of all weights of a model: those that are trained first.
  template <class F>
  void listed(const KerasLayer& layer, const std::vector<const Hdf5Object*>& found,
              const F& places_of) {
    auto all = places_of();
    std::stable_partition(all.begin(), all.end(), [](const KerasWeight& w) { return w.trained; });
    set(layer, all, found);
  }
  void leaf(const KerasLayer& layer, AnyLayer& own, const std::vector<const Hdf5Object*>& found) {
    set(layer, places(own, true), found);
  }

  void set(const KerasLayer& layer, const std::vector<KerasWeight>& all,
           const std::vector<const Hdf5Object*>& found) {
    std::vector<Array> arrays;
    for (const auto* object : found) {
      if (object->type.kind == Hdf5Type::Kind::number)
        arrays.push_back(read_.weights.read(*object));
    }
    arrays = as_now(layer, all, std::move(arrays));
    // Counts and seeds of random numbers stand behind the weights.
    if (arrays.size() > all.size()) {
      std::erase_if(arrays, [](const Array& a) { return a.shape.empty() || !is_real(a.dtype); });
    }
    if (arrays.size() != all.size()) {
      troubles_.push_back(fmt::format("{} '{}' has {} weights in the file; expected {}",
                                      layer.class_name, layer.name, arrays.size(), all.size()));
      return;
    }
    for (std::size_t i = 0; i < all.size(); ++i) set_one(layer, all[i], arrays[i]);
  }
  void set_one(const KerasLayer& layer, const KerasWeight& place, const Array& array) {
    const auto expected = axis_sizes(place.parameter->shape());
    const bool fits = array.shape == expected ||
                      (element_count(array.shape) == element_count(expected) &&
                       (without_ones(array.shape) == without_ones(expected) || may_reshape(layer)));
    if (!fits || !is_real(array.dtype)) {
      troubles_.push_back(fmt::format(
          "a weight of {} '{}' is {} [{}] in the file; '{}' is [{}]", layer.class_name, layer.name,
          name(array.dtype), fmt::join(array.shape, ", "), place.path, fmt::join(expected, ", ")));
      return;
    }
    extend::dispatch(array.dtype, [&]<class T>() {
      const auto values = array.values<T>();
      const std::vector<float> narrow(values.begin(), values.end());
      place.parameter->set(tensor(narrow, place.parameter->shape()));
    });
  }
  /// Depthwise kernels [size, features, multiplier] are those of groups [size, 1, results] here.
  static bool may_reshape(const KerasLayer& layer) {
    return layer.class_name == "DepthwiseConv1D" || layer.class_name == "SeparableConv1D";
  }

  std::vector<Array> as_now(const KerasLayer& layer, const std::vector<KerasWeight>& all,
                            std::vector<Array> arrays);

  const KerasRead& read_;
  bool as_keras_;
  std::vector<std::string>& troubles_;
};

std::vector<Array> KerasSetter::as_now(const KerasLayer& layer, const std::vector<KerasWeight>& all,
                                       std::vector<Array> arrays) {
  const bool both =
      layer.class_name == "Bidirectional" && !layer.inner.empty() && arrays.size() % 2 == 0;
  if (both) {
    const auto half = arrays.begin() + static_cast<std::ptrdiff_t>(arrays.size() / 2);
    const auto places_of_half = std::vector<KerasWeight>(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2));
    auto there = as_now(layer.inner[0], places_of_half, {arrays.begin(), half});
    const auto back = as_now(layer.inner[0], places_of_half, {half, arrays.end()});
    there.insert(there.end(), back.begin(), back.end());
    return there;
  }
  return weights_of_now(layer, std::move(arrays));
}

}  // namespace

void set_keras_weights(Functional& model, const KerasRead& read, bool as_keras,
                       std::vector<std::string>& troubles) {
  KerasSetter(read, as_keras, troubles).model(model, read.model, "");
}

}  // namespace maskgrad::detail
