#pragma once

#include <cmath>
#include <cstring>
#include <iterator>

#include <maskgrad/core/io/json.hpp>
#include <maskgrad/core/io/safetensors.hpp>

#include "fuzz.hpp"

namespace fuzz {

using maskgrad::NamedArrays;
using Json = maskgrad::detail::Json;
using Random = std::minstd_rand;

inline std::size_t below(Random& random, std::size_t n) {
  return random() % std::max<std::size_t>(n, 1);
}

/// Places of a value: itself and all inside it.
inline void places(Json& json, std::vector<Json*>& all) {
  all.push_back(&json);
  if (!json.is_structured()) return;
  for (auto& inner : json) places(inner, all);
}

/// A value that may stand anywhere.
inline Json some_value(Random& random) {
  static const std::vector<Json> values = {nullptr,
                                           true,
                                           false,
                                           0,
                                           1,
                                           -1,
                                           2,
                                           3,
                                           7,
                                           255,
                                           65536,
                                           1'000'000'000,
                                           INT64_MAX,
                                           INT64_MIN,
                                           UINT64_MAX,
                                           0.5,
                                           -0.0,
                                           1e300,
                                           1e-320,
                                           "nan",
                                           "inf",
                                           "",
                                           "a",
                                           "relu",
                                           "softmax",
                                           "linear",
                                           "f32",
                                           "f64",
                                           "i64",
                                           "same",
                                           "valid",
                                           "causal",
                                           "concat",
                                           Json::array(),
                                           Json::object(),
                                           Json::array({1}),
                                           Json::array({1, 2}),
                                           Json::array({nullptr, 3}),
                                           "zeros",
                                           "orthogonal"};
  return values[below(random, values.size())];
}

/// Changes one value in its place: another of its kind, as a training may have it or could not.
inline void nudge(Json& json, Random& random) {
  std::vector<Json*> all, leaves;
  places(json, all);
  for (Json* at : all) {
    if (!at->is_structured()) leaves.push_back(at);
  }
  if (leaves.empty()) return;
  Json& at = *leaves[below(random, leaves.size())];
  const Json& other = *leaves[below(random, leaves.size())];
  static const double reals[] = {0, -1, 0.5, 2, 1e-310, 1e300, -1e300};
  static const std::int64_t steps[] = {-1, 1, 2, -2, 1000};
  if (at.is_boolean()) {
    at = !at.get<bool>();
  } else if (at.is_number_integer()) {
    const auto value = static_cast<std::uint64_t>(at.get<std::int64_t>());
    at = static_cast<std::int64_t>(value + static_cast<std::uint64_t>(steps[below(random, 5)]));
  } else if (at.is_number()) {
    at = reals[below(random, std::size(reals))];
  } else if (at.type() == other.type()) {
    at = Json(other);
  }
}

/// Another number in an array of numbers.
inline void put_value(maskgrad::Array& array, Random& random) {
  static const double reals[] = {NAN, INFINITY, -INFINITY, -1, 0, 1e-30, -1e-30, 1e30, -1e30, 1};
  const auto put = [&]<class T>(T value) {
    const auto count = array.bytes.size() / sizeof(T);
    if (count == 0) return;
    std::memcpy(array.bytes.data() + below(random, count) * sizeof(T), &value, sizeof(T));
  };
  const double real = reals[below(random, std::size(reals))];
  if (array.dtype == maskgrad::DType::f32) put(static_cast<float>(real));
  if (array.dtype == maskgrad::DType::f64) put(real);
  if (array.dtype == maskgrad::DType::i64) put(static_cast<std::int64_t>(below(random, 9)) - 2);
}

/// Changes one place of a description: another value, another number nearby, a copy of another
/// place, one less, one twice, or all of it nested.
inline void mutate(Json& json, Random& random) {
  std::vector<Json*> all;
  places(json, all);
  Json& at = *all[below(random, all.size())];
  const Json& other = *all[below(random, all.size())];
  switch (below(random, 9)) {
    case 0:
      at = some_value(random);
      break;
    case 1:
      at = Json(other);
      break;
    case 2:
      if (at.is_number_integer()) at = at.get<std::int64_t>() / 2 + 1;
      break;
    case 3:
      if (at.is_structured() && !at.empty()) {
        auto gone = at.begin();
        std::advance(gone, below(random, at.size()));
        at.erase(gone);
      }
      break;
    case 4:
      if (at.is_array() && !at.empty() && at.size() < 64) {
        at.push_back(Json(at[below(random, at.size())]));
      }
      break;
    case 5: {
      Json nested = {{"class_name", "Sequential"}, {"config", {{"layers", Json::array()}}}};
      nested["config"]["layers"].push_back(Json(at));
      at = std::move(nested);
      break;
    }
    case 6:
      if (at.is_object()) at["name"] = some_value(random);
      break;
    case 7:
      if (at.is_number()) at = at.get<double>() * 2;
      break;
    default:
      if (at.is_array() && at.size() > 1) std::swap(at[0], at[below(random, at.size())]);
  }
}

/// Changes one array: its bytes, its shape, its name, or that it is there.
inline void mutate(NamedArrays& arrays, Random& random) {
  if (arrays.empty()) return;
  auto& one = arrays[below(random, arrays.size())];
  auto& array = one.array;
  switch (below(random, 9)) {
    case 6:
    case 7:
    case 8:
      put_value(array, random);
      break;
    case 0:
      if (!array.bytes.empty()) {
        array.bytes[below(random, array.bytes.size())] = static_cast<std::byte>(random());
      }
      break;
    case 1:
      std::swap(one.array, arrays[below(random, arrays.size())].array);
      break;
    case 2:
      arrays.erase(arrays.begin() + static_cast<std::ptrdiff_t>(below(random, arrays.size())));
      break;
    case 3:
      array = {maskgrad::DType::f32, {2, 3}, Bytes(24)};
      break;
    case 4:
      one.name += "x";
      break;
    default:
      std::reverse(array.shape.begin(), array.shape.end());
  }
}

/// A file whose description (under `key`) or arrays are changed and put together again, so that
/// mutations reach what lies behind the header.
inline std::size_t mutate_file(std::uint8_t* data, std::size_t size, std::size_t most,
                               unsigned seed, const char* key) {
  Random random(seed);
  if (below(random, 8) == 0) return mutate_header(data, size, most, 0, 8);
  try {
    auto file = maskgrad::detail::parse_safetensors(span_of(data, size), "input");
    auto parsed = maskgrad::detail::parse_json(file.metadata[key]);
    if (!parsed.trouble.empty()) return mutate_header(data, size, most, 0, 8);
    const auto kind = below(random, 4);
    for (auto times = 1 + below(random, 3); times-- > 0;) {
      if (kind == 0) {
        mutate(file.arrays, random);
      } else if (kind == 1) {
        nudge(parsed.json, random);
      } else {
        mutate(parsed.json, random);
      }
    }
    file.metadata[key] = maskgrad::detail::json_text(parsed.json);
    using maskgrad::Checksum;
    const auto checksum = below(random, 4) == 0 ? Checksum::crc32 : Checksum::none;
    return replace(data, size, most,
                   maskgrad::detail::safetensors_bytes(file.arrays, file.metadata, checksum));
  } catch (const maskgrad::Error&) {
    return LLVMFuzzerMutate(data, size, most);
  }
}

}  // namespace fuzz
