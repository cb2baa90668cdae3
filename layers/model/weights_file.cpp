#include <maskgrad/layers/model/weights_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/core/io/npz.hpp>
#include <maskgrad/core/io/safetensors.hpp>

namespace maskgrad {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_ending(std::string_view where, const fs::path& path) {
  fail<OptionError>(where, "'{}' ends in '{}'; expected .safetensors or .npz", path.string(),
                    path.extension().string());
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

/// `[3, 4]`, whatever the file says.
std::string text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

bool same_shape(const Array& array, const Parameter& p) {
  return std::equal(array.shape.begin(), array.shape.end(), p.shape().begin(), p.shape().end());
}

/// A name without what Keras's paths add: `gru_cell/`, `forward_gru` for `forward`, `:0`.
std::string plain(std::string name) {
  if (name.ends_with(":0")) name.resize(name.size() - 2);
  std::string made;
  for (std::size_t from = 0; from <= name.size();) {
    const auto to = std::min(name.find('/', from), name.size());
    std::string part = name.substr(from, to - from);
    from = to + 1;
    if (part.ends_with("_cell") && to != name.size()) continue;
    if (part.starts_with("forward_")) part = "forward";
    if (part.starts_with("backward_")) part = "backward";
    if (part == "attention_output") part = "output";
    made = join_path(made, part);
  }
  return made;
}

/// The arrays under the model's names, where one that Keras gave can be told from it.
NamedArrays with_own_names(const std::vector<NamedParameter>& parameters, NamedArrays arrays) {
  std::set<std::string> wanted;
  for (const auto& p : parameters) wanted.insert(p.name);
  for (const auto& a : arrays) wanted.erase(a.name);
  for (auto& a : arrays) {
    const bool own = std::any_of(parameters.begin(), parameters.end(),
                                 [&](const auto& p) { return p.name == a.name; });
    if (own) continue;
    const std::string whole = plain(a.name), inside = whole.substr(whole.find('/') + 1);
    for (const auto& name : {whole, inside}) {
      if (!wanted.erase(name)) continue;
      a.name = name;
      break;
    }
  }
  return arrays;
}

}  // namespace

namespace detail {

void collect_named(const LayerView& view, std::vector<NamedParameter>& into) {
  std::vector<Parameter> own;
  collect_parameters(view, own);
  for (const auto& entry : view.parameters) {
    const bool known = std::any_of(into.begin(), into.end(),
                                   [&](const auto& q) { return q.parameter.same(*entry.second); });
    if (!known) into.push_back({entry.first, *entry.second});
  }
}

NamedArrays read_arrays(std::string_view where, const fs::path& path) {
  if (path.extension() == ".npz") return read_npz(path);
  if (path.extension() == ".safetensors") return read_safetensors(path).arrays;
  refuse_ending(where, path);
}

LoadReport put_weights(std::string_view where, const fs::path& path,
                       const std::vector<NamedParameter>& parameters, const NamedArrays& arrays,
                       LoadOptions options) {
  LoadReport report;
  std::map<std::string_view, const Array*> left;
  for (const auto& a : arrays) left.emplace(a.name, &a.array);
  std::vector<std::string> misfits;
  std::vector<std::pair<const Parameter*, Tensor>> values;
  for (const auto& [name, p] : parameters) {
    const auto at = left.find(name);
    if (at == left.end()) {
      report.missing.push_back(name);
      continue;
    }
    const Array& array = *at->second;
    left.erase(at);
    if (!same_shape(array, p) || is_real(array.dtype) != is_real(p.dtype())) {
      misfits.push_back(fmt::format("{} (the file has {}{}, the model {}{})", name,
                                    maskgrad::name(array.dtype), text(array.shape),
                                    maskgrad::name(p.dtype()), p.shape()));
      continue;
    }
    values.emplace_back(&p, cast(tensor_of(array), p.dtype()));
  }
  for (const auto& a : arrays) {
    if (left.count(a.name)) report.unexpected.push_back(a.name);
  }
  const bool whole = report.missing.empty() && report.unexpected.empty();
  if (!misfits.empty() || (options.strict && !whole)) {
    auto list = [](std::string_view what, const std::vector<std::string>& names) {
      return names.empty() ? std::string()
                           : fmt::format("\n  {}: {}", what, fmt::join(names, ", "));
    };
    fail<FileError>(where, "'{}' does not fit the model; nothing was changed{}{}{}", path.string(),
                    list("missing", report.missing), list("unexpected", report.unexpected),
                    list("of another shape or type", misfits));
  }
  for (const auto& [p, value] : values) p->set(value);
  report.loaded = values.size();
  return report;
}

}  // namespace detail

void save_weights(const std::vector<NamedParameter>& parameters, const fs::path& path) {
  const bool npz = path.extension() == ".npz";
  if (!npz && path.extension() != ".safetensors") refuse_ending("save_weights", path);
  std::set<std::string> names;
  NamedArrays arrays;
  for (const auto& [name, p] : parameters) {
    if (!names.insert(name).second) {
      fail<OptionError>("save_weights",
                        "two parameters are named '{}'; give their layers names of their own",
                        name);
    }
    arrays.push_back({name, array_of(p.value())});
  }
  if (npz) {
    write_npz(path, arrays);
  } else {
    write_safetensors(path, arrays);
  }
}

LoadReport load_weights(const std::vector<NamedParameter>& parameters, const fs::path& path,
                        LoadOptions options) {
  constexpr std::string_view where = "load_weights";
  const auto arrays = with_own_names(parameters, detail::read_arrays(where, path));
  return detail::put_weights(where, path, parameters, arrays, options);
}

}  // namespace maskgrad
