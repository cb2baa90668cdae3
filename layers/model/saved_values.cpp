#include <maskgrad/layers/model/saved_values.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad::detail {
namespace {

/// `[3, 4]`, whatever the file says.
std::string text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

bool fits(const Array& array, const Tensor& value, bool same_real_type) {
  if (array.dtype != value.dtype() &&
      (same_real_type || !is_real(array.dtype) || !is_real(value.dtype()))) {
    return false;
  }
  const auto& shape = value.shape();
  return std::equal(array.shape.begin(), array.shape.end(), shape.begin(), shape.end());
}

/// `\n  missing: a, b`; nothing where there is none.
std::string list(std::string_view what, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  return fmt::format("\n  {}: {}", what, fmt::join(names, ", "));
}

}  // namespace

SavedValue saved_in_place(std::string name, const Tensor& value) {
  return {std::move(name), value, [value](const Tensor& other) {
            const auto& from = other.impl().storage;
            std::copy_n(from.data(), from.bytes(), value.impl().storage.data());
          }};
}

Array array_of(const Tensor& x) {
  return dispatch(x.dtype(), [&]<class T>() {
    const auto& shape = x.shape();
    return Array::of<T>({shape.begin(), shape.end()}, rows::of<T>(x));
  });
}

Tensor tensor_of(const Array& array) {
  return dispatch(array.dtype,
                  [&]<class T>() { return tensor(array.values<T>(), Shape(array.shape)); });
}

NamedArrays arrays_of(const SavedValues& values) {
  NamedArrays arrays;
  for (const auto& v : values) arrays.push_back({v.name, array_of(v.value)});
  return arrays;
}

LoadReport put_values(const PutNames& names, const SavedValues& values, const NamedArrays& arrays,
                      LoadOptions options) {
  LoadReport report;
  std::map<std::string_view, const Array*> left;
  for (const auto& a : arrays) left.emplace(a.name, &a.array);
  std::vector<std::string> misfits;
  std::vector<std::pair<const SavedValue*, Tensor>> found;
  const NoGrad no_grad;
  for (const auto& v : values) {
    const auto at = left.find(v.name);
    if (at == left.end()) {
      report.missing.push_back(v.name);
      continue;
    }
    const Array& array = *at->second;
    left.erase(at);
    if (!fits(array, v.value, names.same_real_type)) {
      misfits.push_back(fmt::format("{} (the file has {}{}, the {} {}{})", v.name,
                                    name(array.dtype), text(array.shape), names.whose,
                                    name(v.value.dtype()), v.value.shape()));
      continue;
    }
    found.emplace_back(&v, cast(tensor_of(array), v.value.dtype()));
  }
  for (const auto& a : arrays) {
    if (left.count(a.name)) report.unexpected.push_back(a.name);
  }
  const bool whole = report.missing.empty() && report.unexpected.empty();
  if (!misfits.empty() || (options.strict && !whole)) {
    fail<FileError>(names.where, "{} does not fit the {}; nothing was changed{}{}{}", names.from,
                    names.whose, list("missing", report.missing),
                    list("unexpected", report.unexpected),
                    list("of another shape or type", misfits));
  }
  for (const auto& [value, tensor] : found) value->set(tensor);
  report.loaded = found.size();
  return report;
}

}  // namespace maskgrad::detail
