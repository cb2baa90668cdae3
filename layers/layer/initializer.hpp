#pragma once

#include <string>

#include <maskgrad/core/random.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

/// How a weight begins, with Keras 3's names: zeros, ones, glorot_uniform, glorot_normal,
/// he_uniform, he_normal, lecun_uniform, lecun_normal, random_uniform (-0.05 to 0.05),
/// random_normal (deviation 0.05), orthogonal. The normal ones are cut at two deviations, but
/// random_normal.
/// Source: Keras 3; Glorot and Bengio 2010; He et al. 2015; Saxe et al. 2014 (orthogonal).
class Initializer {
 public:
  /// OptionError, naming the nearest, where there is no such name.
  Initializer(const char* name) : Initializer(std::string(name ? name : "")) {}
  Initializer(std::string name);

  /// Shapes: a kernel's last axis is its output, the one before its input, others a window.
  Tensor make(const Shape& shape, Seed seed, DType dtype) const;
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

/// Its name, as an option.
namespace extend {
void read_option(OptionReader& reader, OptionName name, Initializer& value);
void write_option(OptionWriter& writer, OptionName name, const Initializer& value);
}  // namespace extend

}  // namespace maskgrad
