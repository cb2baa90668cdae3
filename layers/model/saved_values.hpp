#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/core/io/array.hpp>
#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

struct LoadOptions {
  bool strict = true;  ///< every parameter is in the file, and nothing else is
};

/// What loading did.
struct LoadReport {
  std::size_t loaded = 0;               ///< parameters that were set
  std::vector<std::string> missing;     ///< parameters that the file does not have
  std::vector<std::string> unexpected;  ///< arrays of the file that the model does not have
};

namespace detail {

/// A value that files keep: a weight, a moment of an optimizer, a count.
struct SavedValue {
  std::string name;
  Tensor value;                            ///< as it is now, without a mask
  std::function<void(const Tensor&)> set;  ///< takes one of the same shape and type
  /// Whether it may be that, where some cannot be, as a count below 0.
  std::function<bool(const Tensor&)> allows = {};
};
using SavedValues = std::vector<SavedValue>;

/// A value that lies in a tensor of its owner, who alone holds it: `set` writes into it.
SavedValue saved_in_place(std::string name, const Tensor& value);
/// Whether it is a number of steps: 0 or more, and no more than can be counted.
bool is_count(const Tensor& x);
/// The values as arrays, copied.
NamedArrays arrays_of(const SavedValues& values);
Array array_of(const Tensor& x);
Tensor tensor_of(const Array& array);

/// Without `_` between a digit and a letter: by this a name of today and the one of before are the
/// same, `conv1d/kernel` and `conv1_d/kernel`.
std::string joined_digits(std::string_view name);
/// What the refusal of put_values says.
struct PutNames {
  std::string_view where;
  std::string from;             ///< as `'weights.npz'`
  std::string_view whose;       ///< as `model`
  bool same_real_type = false;  ///< f32 and f64 are not converted
};
/// FileError that lists what is missing, unexpected, of another shape or type, or what cannot be.
void check_values(const PutNames& names, const SavedValues& values, const NamedArrays& arrays);
/// Sets each value from the array of its name, or of its name of before, all or none. FileError as
/// check_values.
LoadReport put_values(const PutNames& names, const SavedValues& values, const NamedArrays& arrays,
                      LoadOptions options = {});

}  // namespace detail
}  // namespace maskgrad
