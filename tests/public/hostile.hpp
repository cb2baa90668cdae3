#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <maskgrad/maskgrad.hpp>

// What functions are called with: empty and default-made things, and numbers that cannot be
// counted.

namespace maskgrad::tests {

template <class T>
struct Hostile {
  static std::vector<T> values() {
    if constexpr (std::is_same_v<T, bool>) {
      return {false, true};
    } else if constexpr (std::is_enum_v<T>) {
      return {T{}};
    } else if constexpr (std::is_floating_point_v<T>) {
      return {0, -1, 0.5, std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()};
    } else if constexpr (std::is_integral_v<T>) {
      return {0, 1, static_cast<T>(-1), std::numeric_limits<T>::max(),
              std::numeric_limits<T>::min()};
    } else {
      return {T{}};
    }
  }
};

template <>
struct Hostile<Tensor> {
  static std::vector<Tensor> values() {
    return {Tensor(),
            zeros({0}),
            zeros({2, 0, 3}),
            scalar(1),
            ones({2, 3}),
            zeros({2, 3}, DType::i64),
            zeros({2}, DType::boolean),
            Spec::f32({any, any, 3}).masked(2).meta(),
            random_normal({2, 4, 3}, Seed{1}).with_mask(Mask::from_lengths({0, 0}, 4)),
            random_normal({2, 4, 3}, Seed{1}).with_mask(Mask::from_lengths({4, 2}))};
  }
};
template <>
struct Hostile<Shape> {
  static std::vector<Shape> values() {
    constexpr auto most = std::numeric_limits<std::int64_t>::max() / 16;  // a shape may have
    return {{}, {0}, {any}, {2, 3}, {most}, {most, most, most}, {most, 0}, {1LL << 40, 1LL << 40}};
  }
};
template <>
struct Hostile<Mask> {
  static std::vector<Mask> values() {
    return {Mask(), Mask::keep({}, {0}), Mask::from_lengths({4, 2}),
            Mask::keep(std::vector<bool>{true}, {})};
  }
};
template <>
struct Hostile<std::string> {
  static std::vector<std::string> values() { return {"", "a", "\xff", std::string(3, '\0')}; }
};
template <>
struct Hostile<std::string_view> {
  static std::vector<std::string_view> values() { return {"", {}, "a", "\xff", "{}", "null"}; }
};
template <>
struct Hostile<std::filesystem::path> {
  static std::vector<std::filesystem::path> values() {
    return {"", "/", "/nowhere/at/all.npz", "/nowhere/at/all.safetensors", "/nowhere/at/all.npy"};
  }
};
template <class T>
struct Hostile<std::vector<T>> {
  static std::vector<std::vector<T>> values() {
    std::vector<std::vector<T>> all{{}};
    for (const auto& value : Hostile<T>::values()) all.push_back({value});
    return all;
  }
};
template <class T>
struct Hostile<std::optional<T>> {
  static std::vector<std::optional<T>> values() {
    std::vector<std::optional<T>> all{{}};
    for (const auto& value : Hostile<T>::values()) all.push_back(value);
    return all;
  }
};
template <>
struct Hostile<Axes> {
  static std::vector<Axes> values() { return {{}, {0}, {-1}, {7}, {0, 0}}; }
};
template <>
struct Hostile<Parameter> {
  static std::vector<Parameter> values() {
    return {Parameter(), Parameter(ones({2}), ""), Parameter(zeros({0, 2}), "empty")};
  }
};
template <>
struct Hostile<Spec> {
  static std::vector<Spec> values() {
    return {Spec::f32({}), Spec::ids({any}), Spec::f64({0, any, 3}).masked(2)};
  }
};
template <>
struct Hostile<Batch> {
  static std::vector<Batch> values() {
    Batch one;
    one.inputs = {ones({1, 2, 3})};
    one.samples = one.begins = {0};
    Batch wrong = one;
    wrong.samples = {0, 1, 2};
    wrong.begins = {7};
    return {Batch(), one, wrong};
  }
};
template <>
struct Hostile<Dataset> {
  static std::vector<Dataset> values() {
    return {Dataset(), Dataset::from_memory({zeros({0, 3})}),
            Dataset::from_memory({ones({2, 3})}, ones({2, 3}))};
  }
};
template <>
struct Hostile<std::span<const std::byte>> {
  static std::vector<std::span<const std::byte>> values() {
    static const std::byte some[9] = {};
    return {{}, some};
  }
};

/// One call, and what it was called with, for messages.
using Calls = std::vector<std::function<void()>>;

/// The hostile values of one argument. Their type is forgotten, and calls remember it: so what
/// chooses them is compiled once, not for every list of arguments that a function may take.
using Values = std::vector<std::shared_ptr<const void>>;

template <class T>
Values values_of() {
  Values all;
  for (const auto& value : Hostile<T>::values()) all.push_back(std::make_shared<const T>(value));
  return all;
}

/// A call with every combination of the values, one of each argument, or with some of them where
/// there are many, chosen evenly.
using Erased = std::function<void(const void* const*)>;
Calls combined(const std::vector<Values>& arguments, const Erased& call);

template <class... Args, class F>
Calls calls_of(F f) {
  return combined({values_of<Args>()...}, [f](const void* const* given) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      f(*static_cast<const Args*>(given[I])...);
    }
    (std::index_sequence_for<Args...>());
  });
}
template <class R, class... Args>
Calls calls(R (*f)(Args...)) {
  return calls_of<std::remove_cvref_t<Args>...>(f);
}

/// A function by its name, and how it is called; where it is not, why.
struct Row {
  std::string name;
  std::function<Calls()> calls;
  std::string why_not = {};
};

std::vector<Row> class_rows();
std::vector<Row> core_rows();
std::vector<Row> derivative_rows();
std::vector<Row> stream_rows();
std::vector<Row> operation_rows();
std::vector<Row> layer_rows();
std::vector<Row> training_rows();

}  // namespace maskgrad::tests
