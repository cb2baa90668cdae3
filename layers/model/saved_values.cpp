#include <maskgrad/layers/model/saved_values.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
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

/// Arrays of files that were written when layers of a kind such as Conv1D were named `conv1_d`:
/// under the name without the `_` between a digit and a letter, which is the one they have now.
class OldNames {
 public:
  OldNames(const SavedValues& values, const NamedArrays& arrays) {
    std::set<std::string_view> wanted;
    for (const auto& v : values) wanted.insert(v.name);
    for (const auto& a : arrays) {
      if (!wanted.count(a.name)) names_.emplace(joined_digits(a.name), a.name);
    }
  }
  std::string_view of(const std::string& name) const {
    const auto at = names_.find(joined_digits(name));
    return at == names_.end() ? std::string_view(name) : at->second;
  }

 private:
  std::map<std::string, std::string_view> names_;
};

}  // namespace

std::string joined_digits(std::string_view name) {
  const auto is = [&](std::size_t i, int (*kind)(int)) {
    return i < name.size() && kind(static_cast<unsigned char>(name[i])) != 0;
  };
  std::string joined;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool between = i > 0 && is(i - 1, std::isdigit) && is(i + 1, std::isalpha);
    if (name[i] != '_' || !between) joined += name[i];
  }
  return joined;
}

SavedValue saved_in_place(std::string name, const Tensor& value) {
  return {std::move(name), value, [value](const Tensor& other) {
            const auto& from = other.impl().storage;
            std::copy_n(from.data(), from.bytes(), value.impl().storage.data());
          }};
}

bool is_count(const Tensor& x) {
  constexpr double most = 9e15;  // whole numbers that a double tells apart
  return x.item() >= 0 && x.item() <= most;
}

Array array_of(const Tensor& x) {
  return extend::dispatch(x.dtype(), [&]<class T>() {
    const auto& shape = x.shape();
    return Array::of<T>({shape.begin(), shape.end()}, rows::of<T>(x));
  });
}

Tensor tensor_of(const Array& array) {
  return extend::dispatch(array.dtype,
                          [&]<class T>() { return tensor(array.values<T>(), Shape(array.shape)); });
}

NamedArrays arrays_of(const SavedValues& values) {
  NamedArrays arrays;
  for (const auto& v : values) arrays.push_back({v.name, array_of(v.value)});
  return arrays;
}

namespace {

struct Matched {
  LoadReport report;
  std::vector<std::pair<const SavedValue*, const Array*>> found;
};

/// Which array each value is to have, where all fit.
Matched match(const PutNames& names, const SavedValues& values, const NamedArrays& arrays,
              LoadOptions options) {
  Matched all;
  LoadReport& report = all.report;
  std::map<std::string_view, const Array*> left;
  for (const auto& a : arrays) left.emplace(a.name, &a.array);
  std::vector<std::string> misfits, impossible;
  std::optional<OldNames> old_names;
  for (const auto& v : values) {
    auto at = left.find(v.name);
    if (at == left.end()) {
      if (!old_names) old_names.emplace(values, arrays);
      at = left.find(old_names->of(v.name));
    }
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
    } else if (v.allows && !v.allows(tensor_of(array))) {
      impossible.push_back(v.name);
    } else {
      all.found.emplace_back(&v, &array);
    }
  }
  for (const auto& a : arrays) {
    if (left.count(a.name)) report.unexpected.push_back(a.name);
  }
  const bool whole = report.missing.empty() && report.unexpected.empty();
  if (!misfits.empty() || !impossible.empty() || (options.strict && !whole)) {
    fail<FileError>(
        names.where, "{} does not fit the {}; nothing was changed{}{}{}{}", names.from, names.whose,
        list("missing", report.missing), list("unexpected", report.unexpected),
        list("of another shape or type", misfits), list("of a value that cannot be", impossible));
  }
  report.loaded = all.found.size();
  return all;
}

}  // namespace

void check_values(const PutNames& names, const SavedValues& values, const NamedArrays& arrays) {
  match(names, values, arrays, {});
}

LoadReport put_values(const PutNames& names, const SavedValues& values, const NamedArrays& arrays,
                      LoadOptions options) {
  const Matched all = match(names, values, arrays, options);
  const NoGrad no_grad;
  std::vector<Tensor> made;  // all of them, before the first is set
  for (const auto& [value, array] : all.found) {
    made.push_back(cast(tensor_of(*array), value->value.dtype()));
  }
  for (std::size_t i = 0; i < made.size(); ++i) all.found[i].first->set(made[i]);
  return all.report;
}

}  // namespace maskgrad::detail
