#include "onnx/written.hpp"

#include <cmath>

#include <maskgrad/core/random.hpp>

namespace maskgrad::tests::written {

std::vector<std::int64_t> dims_of(const Shape& shape) {
  return {shape.begin(), shape.end()};
}

Shape with_sizes(const Shape& shape) {
  Shape sizes;
  for (int i = 0; i < shape.rank(); ++i) {
    sizes = sizes + Shape{shape[i] != any ? shape[i] : i == 0 ? batch : time};
  }
  return sizes;
}

std::vector<bool> valid_steps(Pattern pattern, std::size_t which) {
  constexpr std::int64_t ragged[2][4] = {{5, 3, 1, 4}, {5, 4, 3, 5}};
  constexpr std::int64_t empty[2][4] = {{2, 0, 1, 5}, {3, 2, 1, 5}};
  std::vector<bool> valid;
  for (std::int64_t s = 0; s < batch; ++s) {
    for (std::int64_t t = 0; t < time; ++t) {
      const auto line = std::min<std::size_t>(which, 1);
      bool v = true;
      if (pattern == Pattern::ragged) v = t < ragged[line][s];
      if (pattern == Pattern::empty) v = t < empty[line][s];
      if (pattern == Pattern::holes) v = ((t * 7 + s * 3 + 5) % 5 < 3 && s != 1) || (s + t) == 8;
      valid.push_back(v);
    }
  }
  return valid;
}

/// Over as many axes as the specification says.
std::vector<bool> valid_of(const Shape& mask, Pattern pattern, std::size_t which) {
  if (pattern == Pattern::samples) return {true, false, true, true};
  if (pattern != Pattern::values) return valid_steps(pattern, which);
  std::vector<bool> valid;
  for (std::int64_t i = 0; i < mask.count(); ++i) {
    valid.push_back((i * 11 + 3 * static_cast<std::int64_t>(which)) % 7 > 1);
  }
  return valid;
}

Input input_of(Files& files, const Spec& spec, const std::string& name, Pattern pattern,
               std::size_t which, bool padding_is_last) {
  const std::uint64_t seed = 11 + which;
  const Shape shape = with_sizes(spec.shape());
  const bool masked = pattern != Pattern::none && spec.mask_axes() > 0;
  const Shape mask = shape.sub(0, masked ? spec.mask_axes() : 0);
  const auto valid = masked ? valid_of(mask, pattern, which) : std::vector<bool>();
  const auto row = shape.count(2, shape.rank());
  const auto inner = shape.count(mask.rank(), shape.rank());
  const auto there = [&](std::int64_t i) {
    return !masked || valid[static_cast<std::size_t>(i / inner)];
  };
  Input input;
  if (spec.dtype() == DType::i64) {
    std::vector<std::int64_t> clean, given;
    for (std::int64_t i = 0; i < shape.count(); ++i) {
      const double u = random::unit_at({seed}, static_cast<std::uint64_t>(i));
      clean.push_back(static_cast<std::int64_t>(5 * u));
      given.push_back(there(i) ? clean.back() : i % 2 ? 999999 : -5);
    }
    input.value = tensor(clean, shape);
    input.written = {files.put(name, "int64", dims_of(shape), given)};
  } else {
    std::vector<float> clean, given;
    for (std::int64_t i = 0; i < shape.count(); ++i) {
      const double u = random::unit_at({seed}, static_cast<std::uint64_t>(i));
      // Some steps that Masking takes for padding.
      const bool behind = (i / row) % time >= 1 + i / row / time;
      const bool zero =
          !masked && shape.rank() == 3 && (padding_is_last ? behind : (i / row) % 7 == 3);
      clean.push_back(zero ? 0.0f : static_cast<float>(3 * u - 1.4));
      given.push_back(there(i) ? clean.back() : i % 2 ? 1e30f : std::nanf(""));
    }
    input.value = tensor(clean, shape);
    input.written = {files.put(name, "float32", dims_of(shape), given)};
  }
  if (!masked) return input;
  input.value = input.value.with_mask(Mask::keep(valid, mask));
  if (mask.rank() != 2 || pattern == Pattern::holes || pattern == Pattern::values) {
    std::vector<std::uint8_t> bits(valid.begin(), valid.end());
    input.written.push_back(files.put(name + "_mask", "bool", dims_of(mask), bits));
  } else {
    std::vector<std::int32_t> lengths(batch);
    for (std::size_t i = 0; i < valid.size(); ++i) lengths[i / time] += valid[i];
    input.written.push_back(files.put(name + "_lengths", "int32", {batch}, lengths));
  }
  return input;
}

std::vector<std::string> written_outputs(Files& files, const Tensors& outputs) {
  std::vector<std::string> written;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto name = outputs.size() == 1 ? std::string("y") : fmt::format("y_{}", i);
    const Tensor& y = outputs[i];
    if (y.dtype() == DType::i64) {
      written.push_back(files.put(name, "int64", dims_of(y.shape()), y.to_vector<std::int64_t>()));
    } else {
      written.push_back(files.put(name, "float32", dims_of(y.shape()), y.to_vector<float>()));
    }
    if (!y.has_mask()) continue;
    const auto bits = y.mask().to_vector();
    std::vector<std::uint8_t> valid(bits.begin(), bits.end());
    written.push_back(files.put(name + "_mask", "bool", dims_of(y.mask().shape()), valid));
  }
  return written;
}

}  // namespace maskgrad::tests::written
